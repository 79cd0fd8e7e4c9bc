/** Where svirt has QEMU make its sockets: in a guest's own folder, of root's instance or of a user's. */
const OWN_SOCKET = /\/svirt\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/guest\/[^/]+\.sock$/;

/** Whether svirt has chosen the path: the XML of a running guest shows it, and a definition made from that leaves it open. */
export function isOwnSocket(path: string): boolean {
  return OWN_SOCKET.test(path);
}
