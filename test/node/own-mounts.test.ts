import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { NFS_SERVER } from "./programs/nfs-server.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

// Guests with labels of their own on one NFS export without labels: svirt mounts the folder of each, under an
// enforcing policy.

const onTheNode = await onANode();
const CONTENT = "system_u:object_r:virt_content_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/;
const HERE = "/srv/lifecycle";
const TIMEOUT_MS = 180_000;

bringPrograms();

/**
 * An NFS export without labels, and the pool life-own on it, with a disk for each guest in a folder of its
 * own. `mounts` prints the folders that are mounted below the pool.
 */
const SCENE = `
  ${PROGRAMS}
  ${NFS_SERVER}
  target=$here/target
  remove() {
    for name in life-one life-two; do
      svirt destroy $name >/dev/null 2>&1 || :
      svirt undefine $name >/dev/null 2>&1 || :
    done
    svirt pool-destroy life-own >/dev/null 2>&1 || :
    svirt pool-undefine life-own >/dev/null 2>&1 || :
    serve_no_more
  }
  mounts() { sed -n "s#^[^ ]* [^ ]* [^ ]* [^ ]* $target/\\([^ ]*\\) .*#\\1#p" /proc/self/mountinfo; }
  opens() {
    svirt qemu-monitor-command "$1" '{"execute":"blockdev-add","arguments":{"driver":"file","node-name":"try","filename":"'"$2"'"}}'
  }
  clean
  prepare_export
  mkdir -p $here/export/one $here/export/two
  copy halt export/one/a.img export/two/b.img export/c.img
  # So that SELinux is what denies it.
  chmod 777 $here/export $here/export/*; chmod 666 $here/export/*/*.img
  serve 127.0.0.1
  svirt pool-define-as life-own netfs --source-host 127.0.0.1 --source-path / --target $target >/dev/null
  note pool svirt pool-start life-own --build
  guest life-one "$(disk $target/one/a.img)"
  guest life-two "$(disk $target/two/b.img)"
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "two guests on one export without labels have a label each, and their mounts end with them",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note plan svirt plan life-one
    note one svirt start life-one
    note two svirt start life-two
    note mounts mounts
    note mounted grep " $target/one " /proc/self/mountinfo
    note label-one label_of $target/one/a.img
    note label-two label_of $target/two/b.img
    note label-none label_of $target/c.img
    note own-one label_in_xml life-one imagelabel
    note own-two label_in_xml life-two imagelabel
    note reads-one reads life-one
    note reads-two reads life-two
    note crosses opens life-one $target/two/b.img
    note audit svirt audit
    note busy svirt pool-destroy life-own
    svirt destroy life-one >/dev/null
    note left-one left life-one
    note rest mounts
    note after label_of $target/one/a.img
    svirt destroy life-two >/dev/null
    note left-two left life-two
    note none mounts
    note last svirt audit
    guest life-one "$(disk $target/c.img)"
    note alone svirt start life-one
    guest life-one "$(disk $target/two/b.img)"
    note shared svirt start life-one
    note free svirt pool-destroy life-own
    remove
  `);
    expectDone(notes, "pool", "one", "two", "audit", "last", "free");
    expect(outOf(notes, "plan")).toContain(`mount 127.0.0.1:/one at ${HERE}/target/one`);
    expect(outOf(notes, "mounts").split("\n").sort()).toEqual(["one", "two"]);
    expect(outOf(notes, "mounted")).toMatch(/ rw,nosuid,nodev,noexec\S* - nfs4 127\.0\.0\.1:\/one /);
    for (const name of ["one", "two"]) {
      expect(outOf(notes, `label-${name}`)).toMatch(PRIVATE);
      expect(outOf(notes, `label-${name}`)).toBe(outOf(notes, `own-${name}`));
      expect([name, noteOf(notes, `reads-${name}`).out]).toEqual([
        name,
        expect.stringContaining("read 512/512 bytes"),
      ]);
      expect([name, noteOf(notes, `left-${name}`).out]).toEqual([name, ""]);
    }
    expect(outOf(notes, "label-one")).not.toBe(outOf(notes, "label-two"));
    expect([outOf(notes, "label-none"), outOf(notes, "after")]).toEqual([CONTENT, CONTENT]);
    expect(`${noteOf(notes, "crosses").out}${noteOf(notes, "crosses").err}`).toContain("Permission denied");
    expect([noteOf(notes, "busy").code, noteOf(notes, "busy").err]).toEqual([
      5,
      expect.stringMatching(/the guest life-(one|two) uses/),
    ]);
    expect([outOf(notes, "rest"), outOf(notes, "none")]).toEqual(["two", ""]);
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(noteOf(notes, "alone").err).toContain("in no folder of its own");
    expect(noteOf(notes, "shared").err).toContain("'life-two' has a file in it");
  },
  // QEMU asks for the other guest's file, after a look for the kind of locks.
  { timeoutMs: TIMEOUT_MS, denied: /name="two"|\{ lock \} .* path="\/dev\/null"/ },
);

onTheNode(
  "a svirt that is killed around a mount, in a start and in an end, leaves none",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note before label_of $target/one/a.img
    step=$(svirt plan life-one | grep 'mount 127.0.0.1:/one at' | awk '{print $1}')
    for moment in before:$step after:$step after:$((step + 1)); do
      note start-$moment svirt start life-one --crash-drill $moment
      note start-mounts-$moment mounts
      svirt recover >/dev/null 2>&1
      note start-left-$moment left life-one
      note start-none-$moment mounts
    done
    note start svirt start life-one
    end=$(svirt plan life-one --stop | grep 'unmount 127.0.0.1:/one from' | awk '{print $1}')
    for moment in before:$end after:$end; do
      note end-$moment svirt destroy life-one --crash-drill $moment
      svirt recover >/dev/null 2>&1
      wait_gone life-one
      note end-left-$moment left life-one
      note end-none-$moment mounts
      note again-$moment svirt start life-one
    done
    kill -9 $(pid_of life-one)
    wait_gone life-one
    note killed mounts
    note after label_of $target/one/a.img
    note audit svirt audit
    remove
  `);
    expectDone(notes, "pool", "start", "audit");
    const names = notes.keys().toArray();
    const starts = names.filter((name) => /^start-(before|after)/.test(name));
    expect([starts.length, names.filter((name) => /^end-(before|after)/.test(name)).length]).toEqual([3, 2]);
    for (const name of names) {
      if (/^(start|end)-(before|after)/.test(name))
        expect([name, noteOf(notes, name).code]).toEqual([name, 137]);
      if (/^(start|end)-(left|none)/.test(name)) expect([name, outOf(notes, name)]).toEqual([name, ""]);
      if (name.startsWith("start-mounts-after")) expect([name, outOf(notes, name)]).toEqual([name, "one"]);
      if (name.startsWith("again")) expectDone(notes, name);
    }
    expect([outOf(notes, "killed"), outOf(notes, "after")]).toEqual(["", outOf(notes, "before")]);
  },
  { timeoutMs: TIMEOUT_MS },
);
