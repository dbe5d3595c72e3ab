// Who or what made something stop.

export const CAUSES = [
  "recording_client", "operator", "refusal", "overload", "disk_full", "shutdown", "time_out", "restart",
  "no_media", "protection", "keys", "form",
  "device", "device_call", "device_hidden", "device_muted", "device_gone", "device_reloaded", "device_full",
] as const;
export type Cause = (typeof CAUSES)[number];

/** Whether it is what records that stopped by itself. */
export function isOfClient(cause: Cause): boolean {
  return cause === "recording_client" || cause.startsWith("device");
}
