import { describe, expect, test } from "bun:test";
import { formatSnapshot, parseSnapshotText } from "../../../src/domain/other-documents/snapshot.ts";
import { errorsOf } from "../../../src/errors.ts";

const written = (inside: string): string =>
  formatSnapshot(parseSnapshotText(`<domainsnapshot>${inside}</domainsnapshot>`));

// virDomainSnapshotDefFormatInternal() and virDomainSnapshotDiskDefFormat() of libvirt
describe("a <domainsnapshot> is written as libvirt writes it", () => {
  test("in libvirt's order, with the driver before the source", () => {
    const source =
      "<source file='/new'/><driver type='qcow2'><metadata_cache><max_size>7</max_size></metadata_cache></driver>";
    expect(
      written(
        `<creationTime>12</creationTime><name>a b</name><memory snapshot='no'/><parent><name>p</name></parent>
        <disks><disk name='vda' snapshot='external'>${source}</disk><disk name='/dev/x'/><disk name='vdc' snapshot='no'/></disks>
        <state>disk-snapshot</state><description>!@#$%^</description><active>1</active>
        <domain><uuid>9d37b878-a7cc-9f9a-b78f-49b3abad25a8</uuid></domain>`,
      ),
    ).toBe(`<domainsnapshot>
  <name>a b</name>
  <description>!@#$%^</description>
  <state>disk-snapshot</state>
  <parent>
    <name>p</name>
  </parent>
  <creationTime>12</creationTime>
  <memory snapshot='no'/>
  <disks>
    <disk name='vda' snapshot='external' type='file'>
      <driver type='qcow2'>
        <metadata_cache>
          <max_size unit='bytes'>7</max_size>
        </metadata_cache>
      </driver>
      <source file='/new'/>
    </disk>
    <disk name='/dev/x'/>
    <disk name='vdc' snapshot='no'/>
  </disks>
  <domain>
    <uuid>9d37b878-a7cc-9f9a-b78f-49b3abad25a8</uuid>
  </domain>
  <active>1</active>
</domainsnapshot>
`);
  });

  test("with the whole domain, and the definition of a guest that ran", () => {
    const inside = `<name>vm1</name><uuid>9d37b878-a7cc-9f9a-b78f-49b3abad25a8</uuid><memory>65536</memory>
      <os><type arch='x86_64' machine='q35'>hvm</type></os>`;
    const xml = written(
      `<name>a</name><domain type='kvm'>${inside}</domain><inactiveDomain type='kvm'>${inside}</inactiveDomain>`,
    );
    expect(xml).toContain("\n  <domain type='kvm'>\n    <name>vm1</name>\n");
    expect(xml).toContain("\n  <inactiveDomain type='kvm'>\n    <name>vm1</name>\n");
    expect(formatSnapshot(parseSnapshotText(xml))).toBe(xml);
  });

  test("with the type of an image without a format, or of a format without an image", () => {
    const disks =
      "<disk name='a'><source file='/a'/></disk><disk name='b' type='block'><source dev='/b'/></disk>";
    expect(written(`<disks>${disks}<disk name='c'><source/><driver type='qed'/></disk></disks>`)).toContain(`
    <disk name='a' snapshot='external' type='file'>
      <source file='/a'/>
    </disk>
    <disk name='b' snapshot='external' type='block'>
      <source dev='/b'/>
    </disk>
    <disk name='c' snapshot='external' type='file'>
      <driver type='qed'/>
    </disk>
`);
  });
});

test.each([
  ["<memory file='/a' snapshot='internal'/>", "memory filename '/a' requires external snapshot"],
  ["<memory snapshot='external'/>", "external memory snapshots require a filename"],
  ["<disks><disk snapshot='no'/></disks>", "missing name from disk snapshot element"],
  ["<disks><disk name='a' type='network'/></disks>", "/domainsnapshot/disks/disk/@type"],
  ["<disks><disk name='a'><source dev='/a'/></disk></disks>", "/domainsnapshot/disks/disk/source/@dev"],
  ["<disks><disk name='a'><source file='a'/></disk></disks>", "/domainsnapshot/disks/disk/source/@file"],
  ["<state>lost</state>", "/domainsnapshot/state"],
  ["<domain type='xen'/>", "/domainsnapshot/domain"],
  ["<other/>", "/domainsnapshot/other"],
])("a document with %s is refused", (inside, words) => {
  const [error] = errorsOf(() => parseSnapshotText(`<domainsnapshot>${inside}</domainsnapshot>`));
  expect(error?.message ?? "it was read").toContain(words);
});
