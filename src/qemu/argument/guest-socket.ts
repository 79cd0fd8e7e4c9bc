/** Paths of QEMU's sockets for svirt: in a guest's folder, of root's instance or of a user's. */
const OWN_SOCKET = /\/svirt\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/guest\/[^/]+\.sock$/;

/**
 * Reports whether svirt has chosen the path. The XML of a running guest shows it; a definition made from that
 * XML omits it.
 */
export function isOwnSocket(path: string): boolean {
  return OWN_SOCKET.test(path);
}
