import { describe, expect, test } from "bun:test";
import { parseScreenCall } from "../../../src/cli/arguments/screen-client.ts";
import type { Screen } from "../../../src/vm/query/guest-screen.ts";

const SOCKET = "/run/svirt/guests/3a5e1d6c-0f0e-4c59-8f0a-6f9a3f0a7c11/guest/vnc.sock";

/** Command of virt-manager 5.0, as _make_ssh_command() of its virtManager/details/sshtunnels.py writes it. */
function virtManager(parameters: string, others = parameters): string {
  return (
    'sh -c \'nc -q 2>&1 | grep "requires an argument" >/dev/null;if [ $? -eq 0 ] ; then' +
    `   CMD="nc -q 0 ${parameters}";else   CMD="nc ${others}";fi;eval "$CMD";'`
  );
}

/** Recorded: the last argument of ssh, as virt-viewer 11.0 of Debian 13 passes it. */
const RECORDED =
  "if (command -v socat) >/dev/null 2>&1; then socat - TCP:127.0.0.1:5901; else nc 127.0.0.1 5901; fi";

/**
 * Command of virt-viewer after 11.0, as virt_viewer_app_open_tunnel_ssh() of its src/virt-viewer-app.c writes
 * it.
 */
function virtViewer(socat: string, netcat: string): string {
  return `sh -c 'if (command -v socat) >/dev/null 2>&1; then socat - ${socat}; else nc ${netcat}; fi'`;
}

describe("parseScreenCall()", () => {
  test.each<[string, string, Screen]>([
    ["virt-manager's", virtManager("127.0.0.1 5900"), { address: "127.0.0.1", port: 5900 }],
    ["virt-manager's for IPv6", virtManager("::1 5901"), { address: "::1", port: 5901 }],
    ["virt-manager's for a socket", virtManager(`-U ${SOCKET}`), { socket: SOCKET }],
    [
      "virt-viewer's",
      virtViewer("TCP:127.0.0.1:5900", "127.0.0.1 5900"),
      { address: "127.0.0.1", port: 5900 },
    ],
    ["virt-viewer 11.0's", RECORDED, { address: "127.0.0.1", port: 5901 }],
    ["virt-viewer's for IPv6", virtViewer("TCP:[::1]:5900", "::1 5900"), { address: "::1", port: 5900 }],
    [
      "virt-viewer's for a screen on every address",
      virtViewer("TCP:node-1.example:5900", "node-1.example 5900"),
      { address: "node-1.example", port: 5900 },
    ],
    ["virt-viewer's for a socket", virtViewer(`UNIX-CONNECT:${SOCKET}`, `-U ${SOCKET}`), { socket: SOCKET }],
    ["an old virt-viewer's", "nc 127.0.0.1 5900", { address: "127.0.0.1", port: 5900 }],
    ["an old virt-viewer's for a socket", `nc -U ${SOCKET}`, { socket: SOCKET }],
  ])("reads %s command", (...[, asked, expected]) => {
    expect(parseScreenCall(asked)).toEqual(expected);
  });

  test.each([
    "",
    "nc",
    "nc 127.0.0.1",
    "nc -l 5900",
    "nc -e /bin/sh 127.0.0.1 5900",
    "nc 127.0.0.1 5900; id",
    "nc 127.0.0.1 5900\nid",
    "nc 127.0.0.1 $(id)",
    "nc -U /run/x y",
    `nc -U ${"/x".repeat(60)}`,
    "/tmp/nc 127.0.0.1 5900",
    virtManager("127.0.0.1 5900", "127.0.0.1 22"),
    virtManager("127.0.0.1 5900;id"),
    `${virtManager("127.0.0.1 5900")}; id`,
    virtViewer("TCP:127.0.0.1:22", "127.0.0.1 5900"),
    RECORDED.replace("nc 127.0.0.1 5901", "nc 127.0.0.1 22"),
    virtViewer("EXEC:id", "127.0.0.1 5900"),
    `${virtViewer("TCP:127.0.0.1:5900", "127.0.0.1 5900")} id`,
  ])("does not read %j", (asked) => {
    expect(parseScreenCall(asked)).toBeUndefined();
  });

  test("needs no more time for a long text that is almost one", () => {
    const began = performance.now();
    expect(parseScreenCall(`nc ${"nc -q 0 -U ".repeat(100_000)}`)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
