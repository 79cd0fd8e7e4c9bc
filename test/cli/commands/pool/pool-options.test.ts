import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

async function said(machine: Machine, line: string): Promise<string> {
  const { code, err, out } = await runOn(machine, ...line.split(" "));
  return `${code} ${out}${err}`;
}

describe("svirt pool-define-as --print-xml", () => {
  // virshBuildPoolXML() of libvirt
  test("prints the XML of the options, in virsh's order, and changes nothing", async () => {
    const machine = makeMachine();
    const printed = await said(
      machine,
      "pool-define-as san iscsi --print-xml --target /dev/disk/by-path --source-name n --source-format f " +
        "--source-protocol-ver 3 --auth-type chap --auth-username me --secret-usage u --source-initiator iqn.b " +
        "--source-dev iqn.a --source-path /p --source-host h",
    );
    expect(printed).toBe(`0 <pool type='iscsi'>
  <name>san</name>
  <source>
    <host name='h'/>
    <dir path='/p'/>
    <device path='iqn.a'/>
    <initiator>
      <iqn name='iqn.b'/>
    </initiator>
    <auth type='chap' username='me'>
      <secret usage='u'/>
    </auth>
    <format type='f'/>
    <name>n</name>
    <protocol ver='3'/>
  </source>
  <target>
    <path>/dev/disk/by-path</path>
  </target>
</pool>

`);
    expect(await said(machine, "pool-list --all --name")).toBe("0 ");
  });

  test.each([
    ["--adapter-name scsi_host3", "<adapter type='scsi_host' name='scsi_host3'/>"],
    [
      "--adapter-wwnn 2 --adapter-wwpn 1 --adapter-parent p --adapter-parent-wwnn 4 --adapter-parent-wwpn 3 --adapter-parent-fabric-wwn 5",
      "<adapter type='fc_host' parent='p' wwnn='2' wwpn='1'/>",
    ],
    [
      "--adapter-wwnn 2 --adapter-wwpn 1 --adapter-parent-wwnn 4 --adapter-parent-wwpn 3 --adapter-parent-fabric-wwn 5",
      "<adapter type='fc_host' parent_wwnn='4' parent_wwpn='3' wwnn='2' wwpn='1'/>",
    ],
    [
      "--adapter-wwnn 2 --adapter-wwpn 1 --adapter-parent-fabric-wwn 5",
      "<adapter type='fc_host' parent_fabric_wwn='5' wwnn='2' wwpn='1'/>",
    ],
    ["--auth-type chap", "<auth type='chap'>\n      <secret/>\n    </auth>"],
    ["--secret-uuid u", "<secret uuid='u'/>"],
  ])("with %s", async (options, part) => {
    expect(await said(makeMachine(), `pool-create-as a scsi --print-xml ${options}`)).toContain(part);
  });

  // virsh 11.3 takes arguments without an option's name in the order of its options.
  test("takes the parts by position, too", async () => {
    const printed = await said(makeMachine(), "pool-define-as rv dir h p d n /srv/rv/t f --print-xml");
    expect(printed).toBe(`0 <pool type='dir'>
  <name>rv</name>
  <source>
    <host name='h'/>
    <dir path='p'/>
    <device path='d'/>
    <format type='f'/>
    <name>n</name>
  </source>
  <target>
    <path>/srv/rv/t</path>
  </target>
</pool>

`);
    const machine = makeMachine();
    expect(await said(machine, "pool-define-as images dir - - - - /srv/images")).toBe(
      "0 Pool images defined\n\n",
    );
    expect((await runOn(machine, "pool-dumpxml", "images")).out).toContain(
      "<source>\n  </source>\n  <target>\n    <path>/srv/images</path>",
    );
  });

  test("refuses two names of a secret, in virsh's words", async () => {
    const { code, err } = await runOn(
      makeMachine(),
      ..."pool-define-as a iscsi --print-xml --secret-usage u --secret-uuid v".split(" "),
    );
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("Options --secret-usage and --secret-uuid are mutually exclusive"),
    ]);
  });

  test("escapes what would be another element", async () => {
    const { out } = await runOn(makeMachine(), "pool-define-as", "a</name><uuid>", "dir", "--print-xml");
    expect(out).toContain("<name>a&lt;/name&gt;&lt;uuid&gt;</name>");
  });

  test("without it, options that are incomplete are refused by their place", async () => {
    const { code, err } = await runOn(makeMachine(), "pool-define-as", "a", "dir");
    expect([code, err]).toEqual([2, expect.stringContaining("/pool/target/path")]);
  });
});
