/** A record as the JSON that `POST /v1/topics/{topic}/records` takes. */
/**
 * Text is stored as it reads, bytes as they are, null as no value (a tombstone), anything else as
 * its JSON. @throws TypeError for what JSON cannot say, such as `undefined`.
 */
export function recordText(value, fields, timestamp) {
    const { key, headers, partition } = fields;
    const parts = [member("value", value), `"timestamp":${fields.timestamp ?? timestamp}`];
    if (key !== undefined && key !== null)
        parts.push(member("key", key));
    if (headers !== undefined)
        parts.push(member("headers", headers));
    if (partition !== undefined)
        parts.push(member("partition", partition));
    return `{${parts}}`;
}
function member(name, value) {
    if (value instanceof Uint8Array)
        return `"${name}Base64":"${base64(value)}"`;
    const text = JSON.stringify(value);
    if (text === undefined)
        throw new TypeError(`Cannot send a ${typeof value} as ${name}`);
    return `"${name}":${text}`;
}
/** By `btoa`, since runtimes of before 2025 have no `toBase64`. */
function base64(bytes) {
    let binary = "";
    for (const byte of bytes)
        binary += String.fromCharCode(byte);
    return btoa(binary);
}
/** The bytes of base64, as reads give them. */
export function bytesOfBase64(text) {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
