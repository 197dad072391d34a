import { bytesOfBase64 } from "./record-text.js";
export function offsetText(from = "latest") {
    return typeof from === "object" ? `timestamp:${from.timestamp}` : String(from);
}
/** `values=json` was asked for where there is no `parse`. */
export function recordOf(json, cursor, parse) {
    const { partition, offset, timestamp, headers } = json;
    const key = json.keyBase64 === undefined ? (json.key ?? null) : bytesOfBase64(json.keyBase64);
    return { partition, offset, timestamp, key, value: valueFrom(json, parse), headers, cursor };
}
function valueFrom(json, parse) {
    if (json.valueBase64 !== undefined)
        return bytesOfBase64(json.valueBase64);
    if (parse !== undefined && typeof json.value === "string")
        return parse(json.value);
    return (json.valueText ?? json.value ?? null);
}
