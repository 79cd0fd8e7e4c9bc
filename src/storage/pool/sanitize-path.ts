/**
 * Returns the path with a single slash for several, and none at its end. Two slashes at its beginning stay,
 * as POSIX lets them have a meaning. virFileSanitizePath() of libvirt
 */
export function sanitizePath(path: string): string {
  const start = /^\/\/(?!\/)/.test(path) ? "/" : "";
  const single = path.replaceAll(/\/+/g, "/");
  return start + (single.length > 1 ? single.replace(/\/$/, "") : single);
}
