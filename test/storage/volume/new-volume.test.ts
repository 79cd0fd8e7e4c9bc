import { describe, expect, test } from "bun:test";
import { asSvirtError, errorsOf } from "../../../src/errors.ts";
import { parseVolume } from "../../../src/storage/volume/document.ts";
import { decideNewVolume } from "../../../src/storage/volume/new-volume.ts";
import { problemOfName } from "../../../src/storage/volume/volume-name.ts";
import { formatVolumeArguments } from "../../../src/storage/volume/volume-of-arguments.ts";
import { bytesOf } from "../../domain/corpus.ts";

const KIB = 1024;

function decide(content: string, flags = {}) {
  return decideNewVolume(parseVolume(bytesOf(`<volume><name>n</name>${content}</volume>`)), flags);
}

const CAPACITY = "<capacity unit='KiB'>64</capacity>";
const QCOW2 = "<format type='qcow2'/>";
const SECRET = "<secret type='passphrase' usage='/luks'/>";
const encryptionOf = (content: string): string => `<encryption format='luks'>${content}</encryption>`;
const BELOW = "<backingStore><path>/srv/base</path></backingStore>";

describe("the disk space of a new volume", () => {
  // createRawFile() of libvirt: fallocate() of the allocation, which is the capacity if it is missing.
  test.each([
    ["of a raw one is allocated", CAPACITY, 64 * KIB],
    ["is sparse with an allocation of 0", `${CAPACITY}<allocation>0</allocation>`, 0],
    ["is allocated in part", `${CAPACITY}<allocation unit='KiB'>4</allocation>`, 4 * KIB],
    ["is not more than the capacity", `${CAPACITY}<allocation unit='KiB'>68</allocation>`, 64 * KIB],
    ["of a qcow2 one is not allocated", `${CAPACITY}<target>${QCOW2}</target>`, 0],
  ])("%s", (_, content, reservedBytes) => {
    expect(decide(content)).toMatchObject({ capacityBytes: 64 * KIB, reservedBytes });
  });
});

describe("a new volume", () => {
  test("is raw, with mode 0600, as libvirt's", () => {
    expect(decide(CAPACITY)).toEqual({
      name: "n",
      format: "raw",
      capacityBytes: 64 * KIB,
      reservedBytes: 64 * KIB,
      backing: undefined,
      isNocow: false,
      options: {},
      permissions: { mode: 0o600 },
    });
  });

  test("is overwritten in place if its XML has <nocow/>", () => {
    expect(decide(`${CAPACITY}<target><nocow/></target>`).isNocow).toBe(true);
  });

  test("has the owner, the group, the mode and the label of its XML", () => {
    const asked = "<mode>0640</mode><owner>107</owner><group>36</group><label>u:object_r:t_t:s0</label>";
    const { permissions } = decide(`${CAPACITY}<target><permissions>${asked}</permissions></target>`);
    expect(permissions).toEqual({ mode: 0o640, owner: 107, group: 36, label: "u:object_r:t_t:s0" });
  });

  test("of qcow2 has the version, the clusters and the features of its XML", () => {
    const { options } = decide(
      `${CAPACITY}<target>${QCOW2}<compat>1.1</compat><clusterSize unit='KiB'>128</clusterSize>` +
        "<features><lazy_refcounts/></features></target>",
    );
    expect(options).toEqual({
      compat: "1.1",
      clusterBytes: 128 * KIB,
      lazyRefcounts: true,
      extendedL2: false,
    });
    expect(decide(`${CAPACITY}<target>${QCOW2}<compat>0.10</compat></target>`).options).toEqual({
      compat: "0.10",
    });
  });

  // virStorageBackendCreateQemuImgCmdFromVol() of libvirt. QEMU ignores the rest of a size that is no number
  // of sectors.
  test("of qcow2 has a capacity in whole KiB", () => {
    expect(decide(`<capacity>66000</capacity><target>${QCOW2}</target>`).capacityBytes).toBe(65 * KIB);
    expect(decide("<capacity>66000</capacity>").capacityBytes).toBe(66_000);
  });

  test.each([
    ["", { bits: 256, hash: "sha256" }],
    [
      "<cipher name='aes' size='128' mode='xts' hash='sha512'/><ivgen name='plain64'/>",
      { bits: 128, hash: "sha512" },
    ],
  ])("is encrypted with %j", (cipher, expected) => {
    for (const format of ["", QCOW2]) {
      const made = decide(
        `<capacity>66000</capacity><target>${format}${encryptionOf(SECRET + cipher)}</target>`,
      );
      // qemu-img gets the size of an encrypted raw image in KiB, too.
      expect(made).toMatchObject({
        capacityBytes: 65 * KIB,
        encryption: { secret: { usage: "/luks" }, cipher: expected },
      });
    }
  });

  test("needs no capacity above a backing file, whose format is raw by default", () => {
    expect(decide(`<target>${QCOW2}</target>${BELOW}`)).toMatchObject({
      capacityBytes: undefined,
      backing: { path: "/srv/base", format: "raw" },
    });
  });
});

test("an encrypted volume has no preallocated tables", () => {
  const flags = { isMetadataPreallocated: true };
  const volume = `${CAPACITY}<target>${QCOW2}${encryptionOf(SECRET)}</target>`;
  expect(refusal(() => decide(volume, flags))[2]).toContain("tables of an encrypted volume");
});

function refusal(work: () => unknown): readonly unknown[] {
  try {
    work();
  } catch (error) {
    const { kind, message, place } = asSvirtError(error);
    return [kind, place, message];
  }
  return [];
}

describe("a new volume is refused, with the place,", () => {
  test.each([
    ["without a capacity", "", "/volume/capacity"],
    ["with another format", `${CAPACITY}<target><format type='vdi'/></target>`, "/volume/target/format"],
    ["of VMDK", `${CAPACITY}<target><format type='vmdk'/></target>`, "/volume/target/format"],
    ["of VPC", `${CAPACITY}<target><format type='vpc'/></target>`, "/volume/target/format"],
    [
      "raw, with clusters",
      `${CAPACITY}<target><clusterSize>512</clusterSize></target>`,
      "/volume/target/clusterSize",
    ],
    [
      "encrypted without a secret",
      `${CAPACITY}<target><encryption format='luks'/></target>`,
      "/volume/target/encryption/secret",
    ],
    [
      "encrypted with two secrets",
      `${CAPACITY}<target>${encryptionOf(SECRET + SECRET)}</target>`,
      "/volume/target/encryption/secret[2]",
    ],
    [
      "with the old encryption of qcow2",
      `${CAPACITY}<target>${QCOW2}<encryption format='qcow'>${SECRET}</encryption></target>`,
      "/volume/target/encryption/@format",
    ],
    [
      "with another cipher",
      `${CAPACITY}<target>${encryptionOf(`${SECRET}<cipher name='serpent' size='256'/>`)}</target>`,
      "/volume/target/encryption/cipher",
    ],
    [
      "with another mode",
      `${CAPACITY}<target>${encryptionOf(`${SECRET}<cipher name='aes' size='256' mode='cbc'/>`)}</target>`,
      "/volume/target/encryption/cipher",
    ],
    [
      "with other initialisation vectors",
      `${CAPACITY}<target>${encryptionOf(`${SECRET}<ivgen name='essiv' hash='sha256'/>`)}</target>`,
      "/volume/target/encryption/ivgen",
    ],
    [
      "of an unknown version",
      `${CAPACITY}<target>${QCOW2}<compat>1.2</compat></target>`,
      "/volume/target/compat",
    ],
    ["of a version, raw", `${CAPACITY}<target><compat>1.1</compat></target>`, "/volume/target/compat"],
    [
      "with clusters, raw",
      `${CAPACITY}<target><clusterSize>512</clusterSize></target>`,
      "/volume/target/clusterSize",
    ],
    ["with features, raw", `${CAPACITY}<target><features/></target>`, "/volume/target/compat"],
    ["above another file, raw", CAPACITY + BELOW, "/volume/backingStore"],
    ["of extents", `<source><device path='/dev/sda'/></source>${CAPACITY}`, "/volume/source"],
  ])("%s", (_, content, place) => {
    expect(refusal(() => decide(content)).slice(1, 2)).toEqual([place]);
  });

  test("as a block device", () => {
    const volume = parseVolume(bytesOf(`<volume type='block'><name>n</name>${CAPACITY}</volume>`));
    expect(refusal(() => decideNewVolume(volume))[1]).toBe("/volume/@type");
  });

  test("with preallocated tables, in libvirt's words for a raw one", () => {
    const flags = { isMetadataPreallocated: true };
    expect(refusal(() => decide(CAPACITY, flags))).toEqual([
      "unsupported",
      undefined,
      "metadata preallocation is not supported for raw volumes",
    ]);
    expect(refusal(() => decide(`${CAPACITY}<target>${QCOW2}</target>${BELOW}`, flags))).toEqual([
      "unsupported",
      undefined,
      "metadata preallocation conflicts with backing store",
    ]);
  });
});

describe("decideNewVolume() preallocates", () => {
  // storageBackendCreateQemuImgOpts() of libvirt: preallocation=falloc, or =metadata if the allocation is
  // smaller
  test.each([
    ["", "all"],
    ["<allocation>0</allocation>", "metadata"],
    ["<allocation unit='TiB'>1</allocation>", "all"],
  ] as const)("the tables of qcow2 with %s and %s", (allocation, how) => {
    const volume = `${CAPACITY}${allocation}<target>${QCOW2}</target>`;
    expect(decide(volume, { isMetadataPreallocated: true }).preallocated).toBe(how);
    expect(decide(volume).preallocated).toBeUndefined();
  });
});

test.each(["a/b", "../a", "/a", ".", "..", "", "a\nb", "a\u0000b", "a\u009bb", "x".repeat(256), ".svirt-a"])(
  "%j is no name of a volume",
  (name) => {
    expect(problemOfName(name)).toEqual(expect.any(String));
  },
);

test("a volume whose name has a slash is refused with libvirt's error", () => {
  const volume = parseVolume(bytesOf(`<volume><name>a/b</name>${CAPACITY}</volume>`));
  const [error] = errorsOf(() => decideNewVolume(volume));
  expect([error?.message, error?.libvirt.code, error?.libvirt.domain]).toEqual([
    "Requested operation is not valid: volume name 'a/b' cannot contain '/'",
    55,
    18,
  ]);
});

test.each(["a", "-rf", "a b", "..a", ".hidden", "é".repeat(127), "<x>&'\""])(
  "%j is a volume's name",
  (name) => {
    expect(problemOfName(name)).toBeUndefined();
  },
);

test("formatVolumeArguments() writes the XML of virsh's vol-create-as", () => {
  // cmdVolCreateAs() of libvirt's tools/virsh-volume.c
  expect(
    formatVolumeArguments({
      name: "top",
      capacityBytes: 1024,
      allocationBytes: 0,
      format: "qcow2",
      backing: { path: "/srv/base", format: "raw" },
    }),
  ).toBe(`<volume>
  <name>top</name>
  <capacity>1024</capacity>
  <allocation>0</allocation>
  <target>
    <format type='qcow2'/>
  </target>
  <backingStore>
    <path>/srv/base</path>
    <format type='raw'/>
  </backingStore>
</volume>
`);
  expect(formatVolumeArguments({ name: "<n>", capacityBytes: 1 })).toBe(
    "<volume>\n  <name>&lt;n&gt;</name>\n  <capacity>1</capacity>\n</volume>\n",
  );
});
