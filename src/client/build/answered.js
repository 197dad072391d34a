import { hasEnded } from "./follow.js";
import { asMillraceError } from "./millrace-error.js";
/**
 * The answer of the first attempt that has one; undefined when `signal` aborted before.
 * @throws MillraceError for what another attempt does not mend.
 */
export async function answered(attempt, backoff, { signal, onTrouble }) {
    while (!hasEnded(signal)) {
        try {
            const answer = await attempt();
            backoff.reset();
            return answer;
        }
        catch (error) {
            if (hasEnded(signal))
                return undefined;
            const failure = asMillraceError(error);
            if (!failure.retriable)
                throw failure;
            onTrouble?.(failure);
            await backoff.wait(signal, failure.retryAfterMs);
        }
    }
    return undefined;
}
