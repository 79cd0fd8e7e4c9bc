/** Disks on one narrow SCSI bus. Unit 7 belongs to the controller. */
const UNITS = 14;
const CONTROLLER_UNIT = 7;
const LETTERS = 26;

/** Returns a domain with a SCSI disk for each file. */
export function xmlWithDisks(files: readonly string[], type: "kvm" | "qemu" = "kvm"): Uint8Array {
  const disks = files.map((file, at) => {
    const place = `<address type='drive' controller='${Math.floor(at / UNITS)}' bus='0' target='0' unit='${unitOf(at % UNITS)}'/>`;
    return `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${file}'/><target dev='${diskName(at)}' bus='scsi'/>${place}</disk>`;
  });
  return new TextEncoder().encode(`<domain type='${type}'><name>many</name><memory unit='MiB'>64</memory>
    <os><type arch='x86_64' machine='pc'>hvm</type></os><devices>${disks.join("\n")}</devices></domain>`);
}

function unitOf(at: number): number {
  return at < CONTROLLER_UNIT ? at : at + 1;
}

/** Names a disk: sda … sdz, sdaa … */
function diskName(at: number): string {
  const letter = (index: number): string => String.fromCharCode("a".charCodeAt(0) + index);
  return `sd${at < LETTERS ? "" : letter(Math.floor(at / LETTERS) - 1)}${letter(at % LETTERS)}`;
}
