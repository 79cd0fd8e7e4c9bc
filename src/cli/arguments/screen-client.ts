import type { Screen } from "../../vm/query/guest-screen.ts";

/** First parameters of netcat in such a command: a socket, or an address and a port. */
const NETCAT = /\bnc (?:-q 0 )?(?:-U ([\w/.:+-]{1,107})|([\w.:][\w.:-]{0,252}) (\d{1,5}))(?=[";]|$)/;

/** Commands by which clients ask for a screen, with the parameters of their netcat. */
const COMMANDS: readonly ((netcat: string, socat: string) => string)[] = [
  // _make_ssh_command() of virt-manager's virtManager/details/sshtunnels.py
  (netcat) =>
    `sh -c 'nc -q 2>&1 | grep "requires an argument" >/dev/null;if [ $? -eq 0 ] ; then   CMD="nc -q 0 ${netcat}";` +
    `else   CMD="nc ${netcat}";fi;eval "$CMD";'`,
  // virt_viewer_app_open_tunnel_ssh() of virt-viewer's src/virt-viewer-app.c: after 11.0, in 11.0, and before
  (netcat, socat) => `sh -c '${choice(netcat, socat)}'`,
  choice,
  (netcat) => `nc ${netcat}`,
];

function choice(netcat: string, socat: string): string {
  return `if (command -v socat) >/dev/null 2>&1; then socat - ${socat}; else nc ${netcat}; fi`;
}

/**
 * Reads the command by which virt-manager and virt-viewer ask over SSH for the bytes of a screen; undefined
 * for any other. It is compared as a whole.
 */
export function parseScreenCall(asked: string): Screen | undefined {
  const [, socket, address = "", port = ""] = NETCAT.exec(asked) ?? [];
  const isIn6 = address.includes(":");
  const [netcat, socat] =
    socket === undefined
      ? [`${address} ${port}`, `TCP:${isIn6 ? `[${address}]` : address}:${port}`]
      : [`-U ${socket}`, `UNIX-CONNECT:${socket}`];
  if (!COMMANDS.some((command) => command(netcat, socat) === asked)) return undefined;
  return socket === undefined ? { address, port: Number(port) } : { socket };
}
