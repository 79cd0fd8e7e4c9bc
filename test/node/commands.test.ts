import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { type Note, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Commands of the first stage, from issue 2. */
const COMMANDS = (
  "define undefine create start shutdown destroy reboot suspend resume list dominfo domstate domid domuuid domname " +
  "dumpxml domblklist autostart capabilities version qemu-monitor-command plan reap recover audit doctor"
).split(" ");

const UUID_A = uuidOf("life-a");

onTheNode("define takes a file, - and /dev/stdin; undefine forgets", async () => {
  const notes = await onNode(`
    copy halt a.img
    xml life-a "$(disk $here/a.img)" >$here/a.xml
    note file svirt define $here/a.xml
    note again svirt define $here/a.xml
    note dash svirt define - <$here/a.xml
    note stdin svirt define /dev/stdin <$here/a.xml
    note json svirt define $here/a.xml --json
    note listed svirt list --all --name
    note dumped svirt dumpxml life-a
    note undefine svirt undefine life-a
    note gone svirt list --all --name
    note twice svirt undefine life-a
    note left left life-a
  `);
  expect(noteOf(notes, "file").out).toStartWith("Domain 'life-a' defined from /srv/lifecycle/a.xml");
  expect(noteOf(notes, "dash").out).toStartWith("Domain 'life-a' defined from -");
  expect(noteOf(notes, "stdin").out).toStartWith("Domain 'life-a' defined from /dev/stdin");
  for (const name of ["file", "again", "dash", "stdin", "undefine"]) expect(noteOf(notes, name).code).toBe(0);
  expect(JSON.parse(outOf(notes, "json"))).toEqual({ name: "life-a", uuid: UUID_A });
  expect(outOf(notes, "listed").split("\n")).toContain("life-a");
  expect(outOf(notes, "dumped")).toContain("<source file='/srv/lifecycle/a.img'/>");
  expect(noteOf(notes, "undefine").out).toStartWith("Domain 'life-a' has been undefined");
  expect(outOf(notes, "gone").split("\n")).not.toContain("life-a");
  expect(noteOf(notes, "twice").code).toBe(3);
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a guest is started, looked at, paused, resumed and destroyed; each of them twice", async () => {
  const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    note off-state svirt domstate life-a --reason
    note off-id svirt domid life-a
    note off-info svirt dominfo life-a
    note start svirt start life-a
    note pid pid_of life-a
    note start-again svirt start life-a
    note pid-again pid_of life-a
    note running svirt domstate life-a --reason
    note suspend svirt suspend life-a
    note suspend-again svirt suspend life-a
    note paused svirt domstate life-a --reason
    note paused-list svirt list
    note resume svirt resume life-a
    note resume-again svirt resume life-a
    note resumed svirt domstate life-a --reason
    note destroy svirt destroy life-a
    note destroy-again svirt destroy life-a
    note destroyed svirt domstate life-a --reason
    note left left life-a
  `);
  const said = (name: string) => outOf(notes, name);
  expect(said("off-id")).toBe("-");
  expect(said("off-info")).toMatch(/^Id: +-$/m);
  expect(said("off-info")).toMatch(/^State: +shut off$/m);
  expect(said("off-state")).toBe("shut off (unknown)");
  expect(said("start")).toBe("Domain 'life-a' started");
  expect(said("start-again")).toBe("Domain 'life-a' is already active");
  expect(said("pid-again")).toBe(said("pid"));
  expect(said("running")).toBe("running (booted)");
  expect([said("suspend"), said("suspend-again")]).toEqual(Array(2).fill("Domain 'life-a' suspended"));
  expect(said("paused")).toBe("paused (user)");
  expect(said("paused-list")).toMatch(/^ \d+ +life-a +paused$/m);
  expect([said("resume"), said("resume-again")]).toEqual(Array(2).fill("Domain 'life-a' resumed"));
  expect(said("resumed")).toBe("running (unpaused)");
  expect(said("destroy")).toBe("Domain 'life-a' destroyed");
  expect(said("destroy-again")).toBe("Domain 'life-a' is not running");
  expect(said("destroyed")).toBe("shut off (destroyed)");
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("list, domid, domuuid, domname, dominfo and domblklist tell of a guest as virsh does", async () => {
  const notes = await onNode(`
    copy halt a.img
    guest life-b
    guest life-a "$(disk $here/a.img vda)<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
    svirt start life-a >/dev/null
    id=$(svirt domid life-a)
    note id svirt domid ${UUID_A}
    note uuid svirt domuuid $id
    note name svirt domname ${UUID_A}
    note info svirt dominfo $id
    note list svirt list
    note all svirt list --all
    note names svirt list --name
    note uuids svirt list --uuid
    note ids svirt list --id
    note inactive svirt list --inactive --name
    note disks svirt domblklist life-a
    note details svirt domblklist life-a --details
    svirt destroy life-a >/dev/null
  `);
  const id = outOf(notes, "id");
  expect(id).toMatch(/^[1-9]\d*$/);
  expect(outOf(notes, "uuid")).toBe(UUID_A);
  expect(outOf(notes, "name")).toBe("life-a");
  const info = outOf(notes, "info");
  expect(info).toMatch(new RegExp(`^Id: {13}${id}$`, "m"));
  for (const line of ["Name:           life-a", `UUID:           ${UUID_A}`, "OS Type:        hvm"])
    expect(info.split("\n")).toContain(line);
  for (const line of ["State:          running", "CPU(s):         1", "Max memory:     16384 KiB"])
    expect(info.split("\n")).toContain(line);
  for (const line of ["Persistent:     yes", "Autostart:      disable", "Security model: selinux"])
    expect(info.split("\n")).toContain(line);
  expect(info).toMatch(/^Security label: system_u:system_r:svirt_tcg_t:s0:c\d+,c\d+ \(enforcing\)$/m);
  expect(outOf(notes, "list").split("\n").slice(0, 2)).toEqual([
    expect.stringMatching(/^ Id +Name +State$/),
    expect.stringMatching(/^-{20,}$/),
  ]);
  expect(outOf(notes, "list")).toMatch(new RegExp(`^ ${id} +life-a +running$`, "m"));
  expect(outOf(notes, "list")).not.toContain("life-b");
  expect(outOf(notes, "all")).toMatch(/^ - +life-b +shut off$/m);
  expect(outOf(notes, "names").split("\n")).toContain("life-a");
  expect(outOf(notes, "uuids").split("\n")).toContain(UUID_A);
  expect(outOf(notes, "ids").split("\n")).toContain(id);
  expect(outOf(notes, "inactive").split("\n")).toContain("life-b");
  expect(outOf(notes, "inactive").split("\n")).not.toContain("life-a");
  expect(outOf(notes, "disks")).toMatch(/^ Target +Source\n-+\n vda +\/srv\/lifecycle\/a\.img\n hdc +-$/);
  expect(outOf(notes, "details")).toMatch(/^ file +disk +vda +\/srv\/lifecycle\/a\.img$/m);
  expect(outOf(notes, "details")).toMatch(/^ file +cdrom +hdc +-$/m);
});

onTheNode("create starts a guest that is forgotten when it ends", async () => {
  const notes = await onNode(`
    copy halt a.img
    xml life-transient "$(disk $here/a.img)" >$here/a.xml
    note create svirt create - <$here/a.xml
    note info svirt dominfo life-transient
    note xml svirt dumpxml life-transient --inactive
    note autostart svirt autostart life-transient
    note undefine svirt undefine life-transient
    note destroy svirt destroy life-transient
    note gone svirt domstate life-transient
    note left left life-transient
  `);
  expect(outOf(notes, "create")).toBe("Domain 'life-transient' created from -");
  expect(outOf(notes, "info")).toMatch(/^Persistent: +no$/m);
  expect(outOf(notes, "xml")).not.toMatch(/<domain [^>]*id='|<imagelabel>/);
  expect(noteOf(notes, "autostart").code).toBe(4);
  expect(noteOf(notes, "undefine").code).toBe(4);
  expect(noteOf(notes, "destroy").code).toBe(0);
  expect(noteOf(notes, "gone").code).toBe(3);
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("shutdown presses the power button, which the guest may ignore", async () => {
  const notes = await onNode(`
    copy halt deaf.img
    copy button button.img
    guest life-deaf "$(disk $here/deaf.img)"
    guest life-a "$(disk $here/button.img)"
    svirt start life-deaf >/dev/null
    svirt start life-a >/dev/null
    pid=$(pid_of life-a)
    sleep 3
    note alone svirt domstate life-a
    note deaf svirt shutdown life-deaf
    note button svirt shutdown life-a
    wait_pressed $pid svirt shutdown life-a
    note gone wait_gone life-a
    note reason svirt domstate life-a --reason
    note off svirt shutdown life-a
    note still svirt domstate life-deaf
    svirt destroy life-deaf >/dev/null
    note deaf-reason svirt domstate life-deaf --reason
  `);
  expect(outOf(notes, "alone")).toBe("running");
  expect(outOf(notes, "deaf")).toBe("Domain 'life-deaf' is being shutdown");
  expect(outOf(notes, "button")).toBe("Domain 'life-a' is being shutdown");
  expect(noteOf(notes, "gone").code).toBe(0);
  expect(outOf(notes, "reason")).toBe("shut off (shutdown)");
  expect(outOf(notes, "off")).toBe("Domain 'life-a' is not running");
  expect(outOf(notes, "still")).toBe("running");
  expect(outOf(notes, "deaf-reason")).toBe("shut off (destroyed)");
});

onTheNode("qemu-monitor-command speaks QMP and QEMU's human monitor", async () => {
  const notes = await onNode(`
    guest life-a
    svirt start life-a >/dev/null
    note name svirt qemu-monitor-command life-a query-status
    note message svirt qemu-monitor-command life-a '{"execute":"query-status"}'
    note pretty svirt qemu-monitor-command life-a --pretty query-status
    note human svirt qemu-monitor-command life-a --hmp info status
    note unknown svirt qemu-monitor-command life-a no-such-command
    note broken svirt qemu-monitor-command life-a '{"execute":'
    svirt destroy life-a >/dev/null
    note off svirt qemu-monitor-command life-a query-status
  `);
  for (const name of ["name", "message", "pretty"]) {
    expect(JSON.parse(outOf(notes, name))).toEqual({ return: { running: true, status: "running" } });
  }
  expect(outOf(notes, "pretty").split("\n").length).toBeGreaterThan(1);
  expect(outOf(notes, "human")).toContain("VM status: running");
  expect(noteOf(notes, "unknown").code).toBe(1);
  expect(noteOf(notes, "unknown").err).toContain("no-such-command");
  expect(noteOf(notes, "broken").code).toBe(2);
  expect(noteOf(notes, "off").code).toBe(4);
});

onTheNode("autostart marks a definition, and recover --autostart starts it", async () => {
  const notes = await onNode(`
    guest life-a
    note mark svirt autostart life-a
    note info svirt dominfo life-a
    note recover svirt recover --autostart --json
    note state svirt domstate life-a
    svirt destroy life-a >/dev/null
    note unmark svirt autostart life-a --disable
    note without svirt recover --autostart --json
    note off svirt domstate life-a
    guest life-b "$(disk $here/missing.img)"
    svirt autostart life-b >/dev/null
    note partly svirt recover --autostart
    svirt undefine life-b >/dev/null
    note mark-gone test ! -e /etc/svirt/autostart/life-b.xml
  `);
  expect(outOf(notes, "mark")).toBe("Domain 'life-a' marked as autostarted");
  expect(outOf(notes, "info")).toMatch(/^Autostart: +enable$/m);
  expect(JSON.parse(outOf(notes, "recover")).started).toContain("life-a");
  expect(outOf(notes, "state")).toBe("running");
  expect(outOf(notes, "unmark")).toBe("Domain 'life-a' unmarked as autostarted");
  expect(JSON.parse(outOf(notes, "without")).started).not.toContain("life-a");
  expect(outOf(notes, "off")).toBe("shut off");
  expect(noteOf(notes, "partly").code).toBe(7);
  expect(noteOf(notes, "partly").err).toContain("missing.img");
  expect(noteOf(notes, "mark-gone").code).toBe(0);
});

onTheNode("plan changes nothing, for a guest that is off and for one that runs", async () => {
  const notes = await onNode(`
    copy halt a.img b.img
    guest life-a "$(disk $here/a.img)<serial type='file'><source path='$here/serial.log'/></serial>"
    guest life-b "$(disk $here/b.img)"
    svirt start life-b >/dev/null
    note before state
    note plan svirt plan life-a
    note json svirt plan life-a --json
    note stop svirt plan life-a --stop
    note file svirt plan $here/none.xml
    xml life-c "$(disk $here/a.img)" >$work/c.xml
    note other svirt plan - <$work/c.xml
    note running svirt plan life-b --stop
    note label label_of $here/b.img
    note after state
    svirt start life-a >/dev/null
    note level label_of $here/a.img
    svirt destroy life-a >/dev/null
    svirt destroy life-b >/dev/null
  `);
  expect(outOf(notes, "before").length).toBeGreaterThan(1000);
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  const steps: { readonly do: string }[] = JSON.parse(outOf(notes, "json"));
  expect(outOf(notes, "plan").split("\n")).toHaveLength(steps.length);
  // A start carries out the plan.
  const planned = /label \/srv\/lifecycle\/a\.img: (\S+) -> (\S+)/.exec(outOf(notes, "plan"));
  expect(planned?.[2]).toBe(outOf(notes, "level"));
  expect(outOf(notes, "stop")).toContain(`label /srv/lifecycle/a.img: ${planned?.[2]} -> ${planned?.[1]}`);
  // The plan to stop a running guest reverts its recorded steps.
  expect(outOf(notes, "running")).toContain(`label /srv/lifecycle/b.img: ${outOf(notes, "label")} -> `);
  expect(noteOf(notes, "file").code).toBe(3);
  expect(outOf(notes, "other")).toContain("/srv/lifecycle/a.img");
});

onTheNode("every command has its help", async () => {
  const notes = await onNode(`
    for command in ${COMMANDS.join(" ")}; do note $command svirt $command --help; done
    note overview svirt help
  `);
  const overview = outOf(notes, "overview");
  for (const command of COMMANDS) {
    expect(outOf(notes, command)).toContain(`svirt ${command}`);
    expect(overview).toContain(`\n    ${command} `);
  }
});

onTheNode("--json gives one JSON document for each command that prints data", async () => {
  const notes = await onNode(`
    guest life-a
    svirt start life-a >/dev/null
    for command in dominfo domstate domid domuuid domname domblklist plan start
    do note $command svirt $command life-a --json; done
    for command in list capabilities version audit doctor recover; do note $command svirt $command --json; done
    note all svirt list --all --json
    svirt destroy life-a >/dev/null
  `);
  const parsed = new Map([...notes].map(([name, { out }]) => [name, JSON.parse(out)]));
  expect(parsed.get("dominfo")).toMatchObject({ name: "life-a", uuid: UUID_A, maxMemoryKiB: 16384 });
  expect(parsed.get("domstate")).toEqual({ state: "running", reason: "booted" });
  expect(parsed.get("domname")).toBe("life-a");
  expect(parsed.get("list")).toContainEqual(expect.objectContaining({ name: "life-a", state: "running" }));
  expect(parsed.get("capabilities").secmodel.model).toBe("selinux");
  expect(parsed.get("audit").mode).toBe("enforcing");
  expect(parsed.get("start")).toMatchObject({ name: "life-a", started: false });
  expect(parsed.size).toBe(15);
});

onTheNode("doctor is content with the node, and version and capabilities tell what is there", async () => {
  const notes = await onNode(`
    note doctor svirt doctor
    note version svirt version
    note capabilities svirt capabilities
    note mode cat /sys/fs/selinux/enforce
    note sum sha256sum /sys/fs/selinux/policy
    note json svirt capabilities --json
  `);
  expect(outOf(notes, "doctor")).not.toMatch(/^(failed|warning)/m);
  expect(outOf(notes, "version")).toMatch(/^svirt \d+\.\d+\.\d+\S*\nQEMU 10\.\d+\.\d+$/);
  const capabilities = outOf(notes, "capabilities");
  expect(capabilities).toContain("<model>selinux</model>");
  expect(capabilities).toContain("<baselabel type='kvm'>system_u:system_r:svirt_t:s0</baselabel>");
  expect(capabilities).toContain("<baselabel type='qemu'>system_u:system_r:svirt_tcg_t:s0</baselabel>");
  expect(JSON.parse(outOf(notes, "json")).policy).toMatchObject({
    mode: outOf(notes, "mode") === "1" ? "enforcing" : "permissive",
    sha256: outOf(notes, "sum").split(" ")[0],
    name: "default",
    isMls: true,
    contexts: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const [policy = ""] = /^ *<svirt:policy .*\/>\n/m.exec(capabilities) ?? [];
  expect(policy).toContain(`digest='sha256:${outOf(notes, "sum").split(" ")[0]}'`);
  // libvirt's schema has no other namespaces; its clients pass over them.
  // Nor does it allow the point in libvirt's own names of a host's features, sse4.1 and sse4.2.
  const allowed = capabilities.replace(policy, "").replaceAll(/(<feature name='sse4)\.([12]'\/>)/g, "$1_$2");
  await checkAgainstSchema(allowed);
});

// While its disk has another label, the guest, which may still boot, is denied it.
onTheNode(
  "audit names a wrong label, a shared level's sign and what is left of nobody",
  async () => {
    const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    note clean svirt audit --json
    right=$(label_of $here/a.img)
    setfattr -n security.selinux -v system_u:object_r:svirt_image_t:s0:c1,c2 $here/a.img
    note wrong svirt audit
    setfattr -n security.selinux -v "$right" $here/a.img
    mkdir /run/svirt/${uuidOf("nobody")}
    note folder svirt audit
    rmdir /run/svirt/${uuidOf("nobody")}
    mkdir -p /var/lib/svirt/claims/level/s0:c1,c2
    echo '{"sharing":"exclusive"}' >/var/lib/svirt/claims/level/s0:c1,c2/${uuidOf("nobody")}
    note claim svirt audit
    rm -r /var/lib/svirt/claims/level/s0:c1,c2
    svirt destroy life-a >/dev/null
  `);
    const clean = JSON.parse(noteOf(notes, "clean").out);
    expect(clean.findings.filter((finding: string) => finding.includes("life-a"))).toEqual([]);
    expect(noteOf(notes, "clean").code).toBe(clean.findings.length === 0 ? 0 : 1);
    const guest = clean.guests.find(({ name }: { name: string }) => name === "life-a");
    expect(guest.label).toMatch(/^system_u:system_r:svirt_tcg_t:s0:c\d+,c\d+$/);
    expect(guest.files.map(({ path }: { path: string }) => path)).toContain("/srv/lifecycle/a.img");
    expect(noteOf(notes, "wrong").out).toContain("life-a: /srv/lifecycle/a.img should be labelled");
    expect(noteOf(notes, "folder").out).toContain(`/run/svirt/${uuidOf("nobody")} is left`);
    expect(noteOf(notes, "claim").out).toContain(`level s0:c1,c2 is held by ${uuidOf("nobody")}`);
    for (const name of ["wrong", "folder", "claim"]) expect(noteOf(notes, name).code).toBe(1);
  },
  { denied: /path="\/srv\/lifecycle\/a\.img"/ },
);

/** Exit codes of docs/commands.md. */
const REFUSALS: readonly (readonly [name: string, code: number, says: RegExp])[] = [
  ["unknown-command", 2, /unknown command: 'frobnicate'/],
  ["no-operand", 2, /command 'start' requires <domain> option/],
  ["bad-option", 2, /command 'list' doesn't support option --frob/],
  ["too-much", 2, /unexpected data 'life-b'/],
  ["broken-xml", 2, /./],
  ["unsupported", 2, /\/domain\/devices\/frob/],
  ["no-domain", 3, /failed to get domain 'life-none'/],
  ["no-xml-file", 3, /none\.xml/],
  ["no-disk", 3, /missing\.img/],
  ["off", 4, /domain is not running/],
  ["disk-taken", 5, /./],
  ["name-taken", 5, /domain 'life-a' already exists with uuid/],
  ["unconfined", 5, /Unconfined guests are not allowed on this host/],
  ["host-file", 5, /\/etc\/passwd/],
  ["silent", 6, /no answer within/],
];

onTheNode(
  "each refusal has its exit code, one line that tells why and one that tells what to do",
  async () => {
    const notes = await onNode(`
    copy halt a.img b.img
    guest life-a "$(disk $here/a.img)"
    guest life-b "$(disk $here/b.img)"
    guest life-same "$(disk $here/b.img)"
    guest life-missing "$(disk $here/missing.img)"
    guest life-none-label '' "<seclabel type='none'/>"
    guest life-passwd "$(disk /etc/passwd)"
    note unknown-command svirt frobnicate
    note no-operand svirt start
    note bad-option svirt list --frob
    note too-much svirt start life-a life-b
    echo '<domain' >$work/broken.xml
    note broken-xml svirt define $work/broken.xml
    xml life-c '<frob/>' >$work/frob.xml
    note unsupported svirt define $work/frob.xml
    note no-domain svirt start life-none
    note no-xml-file svirt define $work/none.xml
    note no-disk svirt start life-missing
    note off svirt suspend life-a
    svirt start life-b >/dev/null
    note disk-taken svirt start life-same
    xml life-a | sed 's/<uuid>.*/<uuid>${uuidOf("other")}<\\/uuid>/' >$work/other.xml
    note name-taken svirt define $work/other.xml
    note unconfined svirt start life-none-label
    note host-file svirt start life-passwd
    pid=$(pid_of life-b)
    kill -STOP $pid
    note silent svirt suspend life-b
    kill -CONT $pid
    note answers svirt suspend life-b
    svirt destroy life-b >/dev/null
    for name in missing same none-label passwd; do left life-$name; done >$work/left
    note left cat $work/left
  `);
    for (const [name, code, says] of REFUSALS) {
      const note = noteOf(notes, name);
      expect({ name, ...note }).toMatchObject({ name, code, out: "" });
      expectErrorAndRemedy(note);
      expect(note.err).toMatch(says);
    }
    expect(noteOf(notes, "answers").code).toBe(0);
    expect(noteOf(notes, "left").out).toBe("");
  },
);

function expectErrorAndRemedy({ err }: Note): void {
  expect(err.split("\n")).toEqual([
    expect.stringMatching(/^error: \S/),
    expect.stringMatching(/^remedy: \S/),
  ]);
}

/** Validates XML against libvirt's schema if it is available; it is not part of this project. */
async function checkAgainstSchema(xml: string): Promise<void> {
  const data = process.env["SVIRT_TEST_DATA"];
  if (data === undefined || Bun.which("xmllint") === null) return;
  const schema = `${data}/libvirt/schemas/capability.rng`;
  const child = Bun.spawn(["xmllint", "--noout", "--relaxng", schema, "-"], {
    stdin: new Blob([xml]),
    stdout: "pipe",
    stderr: "pipe",
  });
  expect({ code: await child.exited, said: await new Response(child.stderr).text() }).toEqual({
    code: 0,
    said: "- validates\n",
  });
}
