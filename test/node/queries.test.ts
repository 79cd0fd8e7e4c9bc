import { describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { noteOf, outOf } from "./lifecycle/notes.ts";
import { onANode } from "./lifecycle/on-a-node.ts";
import { onNode } from "./lifecycle/on-the-node.ts";

const onTheNode = await onANode();
const NODE = fileURLToPath(new URL("../../scripts/node", import.meta.url));
const LEAVE = "\x1d";

/** The guest answers each character with the one after it. */
const GUEST = `
  clean
  copy answer a.img
  guest life-a "$(disk $here/a.img)<serial type='pty'/>$more"
  svirt start life-a >/dev/null
`;

/** A terminal on this machine, with a shell of the node at it. */
function startAtTerminal(script: string) {
  let text = "";
  const take = (bytes: Uint8Array): void => {
    text += new TextDecoder().decode(bytes);
  };
  const terminal = new Bun.Terminal({ cols: 90, rows: 30, data: (_terminal, bytes) => take(bytes) });
  const child = Bun.spawn([NODE, "ssh", "-t", script], { terminal });
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) await Bun.sleep(20);
    return text;
  };
  return { child, terminal, until };
}

describe.each(["qemu", "kvm"])("console of a guest of type %s", (type) => {
  onTheNode(
    "over ssh -t: what is typed reaches the guest, what it says arrives, and it runs on",
    async () => {
      await onNode(`guest_type=${type}; begun=$(cut -d ' ' -f 1 /proc/uptime); ${GUEST}`);
      const user = startAtTerminal(
        "stty -a >/tmp/before; svirt console life-a; stty -a >/tmp/after; echo done",
      );
      const said = await user.until("Escape character is ^] (Ctrl + ])");
      expect(said).toContain("Connected to domain 'life-a'\r\n");
      // QEMU looks once a second whether somebody is there; Ctrl and C is a character like others.
      user.terminal.write("GDKKN\x03\x1f");
      await user.until("HELLO\x04 ");
      user.terminal.write(LEAVE);
      const all = await user.until("done");
      expect(all).not.toContain("GDKKN");
      expect(await user.child.exited).toBe(0);
      const notes = await onNode(`
      note differ cmp /tmp/before /tmp/after
      note state svirt domstate life-a
      note again sh -c 'printf HAL | svirt console life-a'
      note tty svirt ttyconsole life-a
      note label label_of "$(svirt ttyconsole life-a | head -1)"
      note denials denied_since 0 svirt
      svirt destroy life-a >/dev/null
      note left left life-a
    `);
      expect(outOf(notes, "differ")).toBe("");
      expect(outOf(notes, "state")).toBe("running");
      expect(outOf(notes, "again")).toContain("IBM");
      expect(outOf(notes, "tty")).toMatch(/^\/dev\/pts\/\d+$/);
      expect(outOf(notes, "label")).toMatch(/:svirt_devpts_t:s0:c\d+,c\d+$/);
      expect(noteOf(notes, "denials").out).toBe("");
      expect(noteOf(notes, "left").out).toBe("");
    },
  );
});

onTheNode("one at a time: the second is refused, --force ends the first", async () => {
  const notes = await onNode(`
    more="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    ${GUEST}
    mkfifo $here/input
    sleep 600 >$here/input &
    sleeper=$!
    svirt console life-a <$here/input >$here/first 2>$here/first.err &
    first=$!
    connected() { grep -q Escape $here/first; }
    wait_for connected
    note second svirt console life-a
    note other sh -c 'svirt console life-a --devname channel0 </dev/null'
    note forced sh -c 'printf HAL | svirt console life-a --force'
    code=0; wait $first || code=$?
    note first sh -c "cat $here/first.err; exit $code"
    kill $sleeper
    svirt destroy life-a >/dev/null
    note off svirt console life-a
    note denials denied_since 0 svirt
  `);
  expect(noteOf(notes, "second").code).toBe(4);
  expect(noteOf(notes, "second").err).toContain("Active console session exists for this domain (process ");
  expect(outOf(notes, "other")).toContain("Connected to domain 'life-a'");
  expect(outOf(notes, "forced")).toContain("IBM");
  expect(noteOf(notes, "first").code).toBe(1);
  expect(noteOf(notes, "first").out).toContain("Disconnected from the guest's console by SIGTERM");
  expect(noteOf(notes, "off").code).toBe(4);
  expect(noteOf(notes, "denials").out).toBe("");
});
