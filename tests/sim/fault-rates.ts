/** How often things go wrong, as probabilities per operation. */
export interface FaultRates {
  /** The store refuses before anything is written. */
  readonly storeRefused: number;
  /** The store writes, the caller hears of a failure. */
  readonly storeReplyLost: number;
  /** The caller hears of a failure, and the bytes arrive after that. */
  readonly storeWrittenLate: number;
  readonly storeReadFails: number;
  /** Store or database take up to a hundred times longer. */
  readonly slow: number;
  /** The batch never reaches the database. */
  readonly databaseRequestLost: number;
  /** The batch is carried out, its answer is lost. */
  readonly databaseReplyLost: number;
  /** The batch arrives twice, the second time later. */
  readonly databaseRepeated: number;
  /** The answer to a client is lost. */
  readonly clientReplyLost: number;
}

export const calm: FaultRates = {
  storeRefused: 0,
  storeReplyLost: 0,
  storeWrittenLate: 0,
  storeReadFails: 0,
  slow: 0,
  databaseRequestLost: 0,
  databaseReplyLost: 0,
  databaseRepeated: 0,
  clientReplyLost: 0,
};
