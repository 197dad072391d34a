/** What Kafka's verifiable producer and consumer print: one JSON object a line. */

export interface ToolEvent {
  readonly name: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly value?: string;
  readonly sent?: number;
  readonly acked?: number;
}

/** The events among the lines; a last line still being written is left out. */
export function toolEvents(text: string): ToolEvent[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as ToolEvent);
}

/** Where a record lies and what it says, to compare what was sent with what was read. */
export function positionOf({ partition, offset, value }: ToolEvent): string {
  return `${partition}/${offset}=${value}`;
}
