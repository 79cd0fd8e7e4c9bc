import { type ByFamily, ELEMENTS, type EntryOf, orderOf } from "../../domain/families.ts";

/** Value of an enumeration, a device's XML with it, and its type of QEMU. */
export interface Offer {
  readonly value: string;
  readonly xml: string;
  /** Necessary type of QEMU; undefined: none. */
  readonly type?: string;
}

/** Enumeration of libvirt's `<domainCapabilities>`. */
export interface Enumeration {
  readonly name: string;
  readonly offers: readonly Offer[];
}

const disk = (attributes: string, target: string, driver = ""): string =>
  `<disk type='file' ${attributes}><driver name='qemu' type='raw'/><source file='/a'/><target dev='${target}'/>${driver}</disk>`;
const of = (value: string, xml: string, type?: string): Offer => ({
  value,
  xml,
  ...(type === undefined ? {} : { type }),
});
const video = (model: string, type: string): Offer =>
  of(
    model,
    `<graphics type='vnc'><listen type='socket'/></graphics><video><model type='${model}'/></video>`,
    type,
  );
const chardev = (element: string, end: string, type: string): Offer =>
  of(type, `<${element} type='${type}'>${type === "file" ? "<source path='/a'/>" : ""}${end}</${element}>`);
const port = "<target type='virtio' name='a.0'/>";
const tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";

/**
 * Offered values of each family of devices, with libvirt's names: a start accepts each of them, and tests try
 * it, since trying takes 40 ms. "none": libvirt's document does not have the family, or svirt implements no
 * device of it. https://libvirt.org/formatdomaincaps.html
 */
const OFFERS = {
  disks: [
    {
      name: "diskDevice",
      offers: [
        of("disk", disk("device='disk'", "vda")),
        of("cdrom", disk("device='cdrom'", "sda")),
        of("floppy", disk("device='floppy'", "fda")),
        of(
          "lun",
          "<disk type='block' device='lun'><source dev='/dev/a'/><target dev='sda' bus='scsi'/></disk>",
        ),
      ],
    },
    {
      name: "bus",
      offers: [
        of("fdc", disk("device='floppy'", "fda")),
        of("ide", disk("", "hda' bus='ide"), "ide-hd"),
        of("scsi", disk("", "sda' bus='scsi"), "scsi-hd"),
        of("virtio", disk("", "vda' bus='virtio"), "virtio-blk-pci"),
        of("usb", disk("", "sda' bus='usb"), "usb-storage"),
        of("sata", disk("", "sda' bus='sata"), "ich9-ahci"),
      ],
    },
    {
      name: "model",
      offers: ["virtio", "virtio-transitional", "virtio-non-transitional"].map((model) =>
        of(model, disk(`model='${model}'`, "vda' bus='virtio"), "virtio-blk-pci"),
      ),
    },
  ],
  graphics: [
    {
      name: "type",
      offers: [of("vnc", "<graphics type='vnc'><listen type='socket'/></graphics>")],
    },
  ],
  videos: [
    {
      name: "modelType",
      offers: [
        video("vga", "VGA"),
        video("cirrus", "cirrus-vga"),
        video("vmvga", "vmware-svga"),
        video("qxl", "qxl-vga"),
        video("virtio", "virtio-vga"),
        of("none", "<video><model type='none'/></video>"),
        video("bochs", "bochs-display"),
        video("ramfb", "ramfb"),
      ],
    },
  ],
  hostdevs: [
    {
      name: "subsysType",
      offers: [
        of(
          "usb",
          "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x1'/></source></hostdev>",
        ),
        of(
          "pci",
          "<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='1' slot='1' function='0'/></source></hostdev>",
        ),
      ],
    },
  ],
  rngs: [
    {
      name: "model",
      offers: ["virtio", "virtio-transitional", "virtio-non-transitional"].map((model) =>
        of(model, `<rng model='${model}'><backend model='builtin'/></rng>`, "virtio-rng-pci"),
      ),
    },
    {
      name: "backendModel",
      offers: [
        of("random", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"),
        of(
          "egd",
          "<rng model='virtio'><backend model='egd' type='unix'><source mode='connect' path='/a'/></backend></rng>",
        ),
        of("builtin", "<rng model='virtio'><backend model='builtin'/></rng>"),
      ],
    },
  ],
  filesystems: [
    {
      name: "driverType",
      offers: [
        of(
          "path",
          "<filesystem type='mount' accessmode='mapped'><source dir='/a'/><target dir='a'/></filesystem>",
          "virtio-9p-pci",
        ),
        of(
          "virtiofs",
          "<filesystem type='mount'><driver type='virtiofs'/><source dir='/a'/><target dir='a'/></filesystem>",
        ),
      ],
    },
  ],
  tpms: [
    {
      name: "model",
      offers: [of("tpm-tis", tpm.replace("crb", "tis"), "tpm-tis"), of("tpm-crb", tpm, "tpm-crb")],
    },
    { name: "backendModel", offers: [of("emulator", tpm, "tpm-emulator")] },
    { name: "backendVersion", offers: [of("2.0", tpm, "tpm-emulator")] },
  ],
  redirdevs: [{ name: "bus", offers: [] }],
  channels: [{ name: "type", offers: ["pty", "unix"].map((type) => chardev("channel", port, type)) }],
  cryptos: [
    {
      name: "model",
      offers: [
        of(
          "virtio",
          "<crypto model='virtio' type='qemu'><backend model='builtin'/></crypto>",
          "virtio-crypto-pci",
        ),
      ],
    },
  ],
  interfaces: [
    {
      name: "backendType",
      offers: [of("default", "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>")],
    },
  ],
  panics: [
    {
      name: "model",
      offers: [of("isa", "<panic model='isa'/>", "pvpanic"), of("hyperv", "<panic model='hyperv'/>")],
    },
  ],
  controllers: "none",
  leases: "none",
  smartcards: "none",
  serials: "none",
  parallels: "none",
  consoles: "none",
  inputs: "none",
  sounds: "none",
  audios: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  shmems: "none",
  iommu: "none",
  vsock: "none",
  pstore: "none",
  memories: "none",
} as const satisfies ByFamily<readonly Enumeration[]>;

/** Order of the families in libvirt's document. */
const ORDER = orderOf<EntryOf<typeof OFFERS>>()([
  "disks",
  "graphics",
  "videos",
  "hostdevs",
  "rngs",
  "filesystems",
  "tpms",
  "redirdevs",
  "channels",
  "cryptos",
  "interfaces",
  "panics",
]);

/** Elements of devices with their offered values, in libvirt's order. */
export const DEVICES: ReadonlyMap<string, readonly Enumeration[]> = new Map(
  ORDER.map((family) => [ELEMENTS[family], OFFERS[family]]),
);

/** Reports whether this QEMU has the device. */
export function isOffered({ type }: Offer, types: ReadonlySet<string>): boolean {
  return type === undefined || types.has(type);
}
