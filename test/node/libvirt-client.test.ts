import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uuidOf } from "./harness/names.ts";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { makeClientFolder, sshFor, VIRSH_MS, virsh } from "./harness/stock-virsh.ts";

const onTheNode = await onANode();

const folder = makeClientFolder();
const ssh = sshFor(folder, "ssh", "");
const readingSsh = sshFor(folder, "ssh-reading", "--read-only");

onTheNode(
  "stock virsh over SSH defines, starts, shows, pauses, ends and undefines a confined guest",
  async () => {
    const notes = await onNode(`
      copy count a.img
      xml life-rpc "$(disk $here/a.img)" >$work/rpc.xml
      note xml cat $work/rpc.xml
    `);
    const file = join(folder, "rpc.xml");
    writeFileSync(file, outOf(notes, "xml"));
    expect(await virsh(ssh, "define", file)).toMatchObject({ code: 0, err: "" });
    expect(await virsh(ssh, "start", "life-rpc")).toEqual({
      code: 0,
      out: "Domain 'life-rpc' started",
      err: "",
    });
    const info = await virsh(ssh, "dominfo", "life-rpc");
    expect(info.out).toMatch(/^State: +running$/m);
    expect(info.out).toMatch(/^Security label: +system_u:system_r:svirt_\w+:s0:c\d+,c\d+ \(enforcing\)$/m);
    expect((await virsh(ssh, "domuuid", "life-rpc")).out).toBe(uuidOf("life-rpc"));
    expect((await virsh(ssh, "suspend", "life-rpc")).code).toBe(0);
    expect((await virsh(ssh, "domstate", "--reason", "life-rpc")).out).toBe("paused (user)");
    expect((await virsh(ssh, "resume", "life-rpc")).code).toBe(0);
    const listed = await onNode("note list svirt list --name");
    expect(noteOf(listed, "list").out.split("\n")).toContain("life-rpc");
    expect((await virsh(ssh, "destroy", "life-rpc")).out).toBe("Domain 'life-rpc' destroyed");
    expect((await virsh(ssh, "undefine", "life-rpc")).out).toBe("Domain 'life-rpc' has been undefined");
    const left = await onNode("note left left life-rpc");
    expect(noteOf(left, "left").out).toBe("");
  },
  { timeoutMs: 20 * VIRSH_MS },
);

onTheNode(
  "a key for reading lists domains by virsh, and changes none",
  async () => {
    const notes = await onNode(`
      copy halt a.img
      xml life-rpc "$(disk $here/a.img)" >$work/rpc.xml
      note define svirt define $work/rpc.xml
    `);
    expect(noteOf(notes, "define").code).toBe(0);
    expect((await virsh(readingSsh, "list", "--all", "--name")).out.split("\n")).toContain("life-rpc");
    const undefine = await virsh(readingSsh, "undefine", "life-rpc");
    expect(undefine.err).toContain("operation forbidden: read only access prevents virDomainUndefineFlags");
    const after = await onNode("note undefine svirt undefine life-rpc");
    expect(noteOf(after, "undefine").code).toBe(0);
  },
  { timeoutMs: 10 * VIRSH_MS },
);
