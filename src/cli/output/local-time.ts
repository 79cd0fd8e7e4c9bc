/**
 * Formats seconds since 1970 in the local time zone, as `2026-11-29 20:12:58 +0000`. strftime(3) "%Y-%m-%d
 * %H:%M:%S %z"
 */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19).replace("T", " ");
  const away = Math.abs(offset);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${local} ${offset < 0 ? "-" : "+"}${two(Math.floor(away / 60))}${two(away % 60)}`;
}
