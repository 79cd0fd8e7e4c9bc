import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { makeClientFolder, nodeUri, run, sshFor, VIRSH_MS, virsh } from "./harness/stock-virsh.ts";

const onTheNode = await onANode();

const folder = makeClientFolder();
const ssh = sshFor(folder, "ssh", "");
const readingSsh = sshFor(folder, "ssh-reading", "--read-only");
const MIB = 1024 * 1024;

onTheNode(
  "stock virsh uploads a volume over SSH, which keeps its label, and downloads it with its holes",
  async () => {
    const scene = `
      pool=/srv/lifecycle/streams
      remove() {
        svirt pool-destroy life-pool >/dev/null 2>&1
        svirt pool-undefine life-pool >/dev/null 2>&1
        clean
      }
    `;
    const made = await onNode(`
      ${scene}
      remove
      svirt pool-create-as life-pool dir --target $pool --build >/dev/null
      note volume svirt vol-create-as life-pool v 16M --format raw
      note label label_of $pool/v
    `);
    const [data, copy] = [join(folder, "data"), join(folder, "copy")];
    writeFileSync(data, new Uint8Array(MIB).fill(7));
    await run(["truncate", "-s", "16M", data]);
    const options = ["--pool", "life-pool", "--sparse"];
    expect(await virsh(ssh, "vol-upload", "v", data, ...options)).toEqual({ code: 0, out: "", err: "" });
    expect(await virsh(ssh, "vol-download", "v", copy, ...options)).toEqual({ code: 0, out: "", err: "" });
    expect(readFileSync(copy).equals(readFileSync(data))).toBe(true);
    const refused = await virsh(readingSsh, "vol-download", "v", copy, ...options);
    expect(refused.err).toContain("read only access prevents virStorageVolDownload");
    const after = await onNode(`
      ${scene}
      note label label_of $pool/v
      note sum sha256sum $pool/v
      note used du -k $pool/v
      note locks sh -c 'ls /run/svirt/locks | grep -c volume'
      remove
    `);
    expect(outOf(after, "label")).toBe(outOf(made, "label"));
    const sum = (await run(["sha256sum", data])).out.split(" ")[0];
    expect(outOf(after, "sum").split(" ")[0]).toBe(sum);
    expect(Number.parseInt(outOf(after, "used"), 10)).toBeLessThan(8192);
  },
  { timeoutMs: 20 * VIRSH_MS },
);

onTheNode(
  "stock virsh shows the console and the screen of a confined guest, which keeps its label, and leaves nothing",
  async () => {
    const notes = await onNode(`
      os="<bios useserial='yes'/>" xml life-s "<serial type='pty'/><video><model type='vga'/></video>" >$work/s.xml
      svirt define $work/s.xml >/dev/null
      note start svirt start life-s
      note before context_of $(pid_of life-s)
    `);
    expect(noteOf(notes, "start").code).toBe(0);
    const picture = join(folder, "screen");
    const screenshot = await virsh(ssh, "screenshot", "life-s", picture);
    expect(screenshot.out).toContain("with type of image/png");
    expect(readFileSync(picture).subarray(1, 4).toString()).toBe("PNG");
    const console_ = `virsh -c '${nodeUri(ssh)}' console life-s`;
    // The escape character until virsh reads it: one that comes before virsh has set the terminal is lost.
    const escapes = "while sleep 2 && printf '\\035'; do :; done 2>/dev/null";
    const shown = await run(["sh", "-c", `(${escapes}) | script -qec "${console_}" /dev/null`]);
    expect(shown.out).toContain("Connected to domain 'life-s'");
    // The connection's end is that of its console, soon after.
    const after = await onNode(`
      visit() { printf '\\035' | svirt console life-s; }
      note context context_of $(pid_of life-s)
      note files ls /run/svirt/$(uuid_of life-s)
      note console wait_for visit
      svirt destroy life-s >/dev/null
      svirt undefine life-s >/dev/null
      note left left life-s
    `);
    expect(outOf(after, "context")).toBe(outOf(notes, "before"));
    expect(outOf(after, "context")).toMatch(/:svirt_\w+:s0:c\d+,c\d+$/);
    expect(outOf(after, "files")).not.toContain("picture");
    expect(noteOf(after, "console").code).toBe(0);
    expect(noteOf(after, "left").out).toBe("");
  },
  { timeoutMs: 20 * VIRSH_MS },
);
