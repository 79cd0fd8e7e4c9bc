import { describe, expect, test } from "bun:test";
import { parseEscapeKey } from "../../../../src/cli/arguments/escape-key.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, UUID } from "../../../scenes/scene.ts";
import { runOn, type Said } from "../../in-memory.ts";

const TERMINAL = "/dev/pts/7";
const SOCKET = "/var/lib/images/console.sock";
const UID = 0x70000000 + (1 % 0x4000000);
const CONNECTED = "Connected to domain 'vm1'\nEscape character is ^] (Ctrl + ])\n";

/** Returns a machine with a running guest that has these devices and a terminal. */
async function running(devices: string): Promise<Machine> {
  const machine = makeMachine();
  const chardev = { label: "charserial0", filename: `pty:${TERMINAL}` };
  machine.qemu = { answers: new Map([["query-chardev", [chardev]]]) };
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices }) });
  expect((await runOn(machine, "create", "/vm.xml")).code).toBe(0);
  machine.files.putFolder("/dev/pts");
  machine.files.put(TERMINAL, "character", { uid: UID, node: "136:7" });
  return machine;
}

/** Records the paths of sockets and terminals that svirt talks to. */
function listTalks(machine: Machine): string[] {
  const paths: string[] = [];
  machine.duringTalk = async (path) => void paths.push(path);
  return paths;
}

describe("svirt console", () => {
  test("connects to the terminal of the first serial port and says how to leave", async () => {
    const machine = await running("<serial type='pty'/>");
    const talks = listTalks(machine);
    expect(await runOn(machine, "console", "vm1")).toEqual({ code: 0, out: `${CONNECTED}\n`, err: "" });
    expect(talks).toEqual([TERMINAL]);
    expect((await runOn(machine, "ttyconsole", "vm1")).out).toBe(`${TERMINAL}\n\n`);
  });

  test("connects to a device by its name, and to a socket that svirt has made", async () => {
    const unix = `<serial type='unix'><source mode='bind' path='${SOCKET}'/></serial>`;
    const machine = await running(`<serial type='pty'/>${unix}`);
    const talks = listTalks(machine);
    expect((await runOn(machine, "console", "vm1", "--devname", "serial1", "-e", "^X")).out).toContain(
      "Escape character is ^X (Ctrl + X)",
    );
    expect(talks).toEqual([SOCKET]);
  });

  test("lets one in at a time, and the next when he has left", async () => {
    const machine = await running("<serial type='pty'/>");
    let second: Said | undefined;
    machine.duringTalk = async () => {
      machine.duringTalk = async () => undefined;
      second = await runOn(machine, "console", "vm1");
    };
    expect((await runOn(machine, "console", "vm1")).code).toBe(0);
    expect([second?.code, second?.out]).toEqual([4, ""]);
    expect(second?.err).toContain("Active console session exists for this domain");
    expect((await runOn(machine, "console", "vm1")).code).toBe(0);
  });

  test.each([
    ["a terminal of somebody else", { uid: 0, node: "136:7" }, "character"],
    ["a file", { uid: UID }, "file"],
  ] as const)("refuses %s, which a QEMU that was taken over may name", async (_, facts, type) => {
    const machine = await running("<serial type='pty'/>");
    machine.files.put(TERMINAL, type, facts);
    const talks = listTalks(machine);
    const said = await runOn(machine, "console", "vm1");
    expect([said.code, said.out, talks]).toEqual([5, "", []]);
    expect(said.err).toContain(`Cannot connect to ${TERMINAL}: the device does not belong to the guest`);
  });

  test("refuses a symlink that a guest has put in the place of its socket", async () => {
    const machine = await running("<channel type='unix'><target type='virtio' name='a.0'/></channel>");
    const other = machine.files.put("/run/other.sock", "socket");
    other.xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c3,c4");
    machine.files.put(`/run/svirt/${UUID}/guest/channel0.sock`, "symlink", { target: "/run/other.sock" });
    const said = await runOn(machine, "console", "vm1", "--devname", "channel0");
    expect([said.code, said.err]).toEqual([5, expect.stringContaining("/run/other.sock")]);
  });

  const pty = "<serial type='pty'/>";
  test.each([
    { devices: "", words: [], code: 3, says: "cannot find console device 'console0'" },
    { devices: pty, words: ["--devname", "serial9"], code: 3, says: "Name one of serial0 by --devname" },
    { devices: "<serial type='null'/>", words: [], code: 2, says: "serial0 is not using a PTY" },
    { devices: pty, words: ["--escape", "^^^"], code: 2, says: "Invalid string '^^^' for escape sequence" },
  ])("ends with $code: $says", async ({ code, devices, says, words }) => {
    const said = await runOn(await running(devices), "console", "vm1", ...words);
    expect([said.code, said.out, said.err]).toEqual([code, "", expect.stringContaining(says)]);
  });

  test("refuses a guest that is off", async () => {
    const machine = makeMachine();
    machine.files.put("/vm.xml", "file", { bytes: domainXml({}) });
    await runOn(machine, "define", "/vm.xml");
    expect((await runOn(machine, "console", "vm1")).code).toBe(4);
  });
});

describe("parseEscapeKey()", () => {
  // ascii(7): Ctrl and ] is GS, 035; Ctrl and A is SOH, 001; Ctrl and @ is NUL.
  test.each([
    ["^]", 0o35, "^] (Ctrl + ])"],
    ["^a", 1, "^a (Ctrl + a)"],
    ["^@", 0, "^@ (Ctrl + @)"],
    ["~", 126, "~"],
  ])("reads %s", (text, byte, shown) => {
    expect(parseEscapeKey(text)).toEqual({ byte, shown });
  });

  test.each(["", "^", "^]]", "^1", "ab", "ä", "\n"])("refuses %j in virsh's words", async (text) => {
    const { kind, message } = await errorOf(Promise.try(() => parseEscapeKey(text)));
    expect([kind, message]).toEqual(["usage", `Invalid string '${text}' for escape sequence`]);
  });
});

test("svirt vncdisplay and domdisplay tell the socket of the screen", async () => {
  const machine = await running("<graphics type='vnc'><listen type='socket'/></graphics>");
  const socket = `/run/svirt/${UUID}/guest/vnc.sock`;
  expect((await runOn(machine, "vncdisplay", "vm1")).out).toBe(`${socket}\n\n`);
  expect((await runOn(machine, "domdisplay", "vm1")).out).toBe(`vnc+unix://${socket}\n`);
  expect((await runOn(machine, "domdisplay", "vm1", "--type", "spice")).code).toBe(4);
  expect((await runOn(await running(""), "domdisplay", "vm1")).code).toBe(4);
});

// cmdVNCDisplay() and cmdDomDisplay() of libvirt's tools/virsh-domain.c
test.each([
  ["", "127.0.0.1:0", "vnc://127.0.0.1:0"],
  ["listen='0.0.0.0' port='5907'", ":7", "vnc://localhost:7"],
  ["listen='::1' port='5901' autoport='no'", "[::1]:1", "vnc://[::1]:1"],
])("of a screen on TCP with %j they tell address and number", async (attributes, shown, uri) => {
  const machine = await running(`<graphics type='vnc' ${attributes}/>`);
  expect((await runOn(machine, "vncdisplay", "vm1")).out).toBe(`${shown}\n\n`);
  expect((await runOn(machine, "domdisplay", "vm1")).out).toBe(`${uri}\n`);
});

test.each([
  "KEY_LEFTCTRL KEY_DELETE --holdtime 50",
  "--holdtime 50 KEY_LEFTCTRL KEY_DELETE",
  "KEY_LEFTCTRL --codeset linux KEY_DELETE",
])("svirt send-key takes its options among the keys: %s", async (words) => {
  const machine = await running("");
  machine.qemu = { answers: new Map([["send-key", {}]]) };
  const said = await runOn(machine, "send-key", "vm1", ...words.split(" "));
  expect(said).toEqual({ code: 0, out: "\n", err: "" });
});

test.each([
  ["--codeset usb 4 0x4c", 0, ""],
  ["--codeset win32 0xe2", 0, ""],
  ["--codeset usb KEY_A", 2, "invalid keycode: 'KEY_A'"],
  ["--codeset usb 0", 2, "invalid keycode: '0'"],
  ["--codeset other 4", 2, "unknown codeset: 'other'"],
])("svirt send-key takes codes of other sets: %s", async (words, code, why) => {
  const machine = await running("");
  machine.qemu = { answers: new Map([["send-key", {}]]) };
  const said = await runOn(machine, "send-key", "vm1", ...words.split(" "));
  expect([said.code, said.err.includes(why)]).toEqual([code, true]);
});
