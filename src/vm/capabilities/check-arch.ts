import { SvirtError } from "../../errors.ts";

/** Names of processor architectures. virArchData of libvirt's virarch.c */
const ARCHITECTURES: ReadonlySet<string> = new Set(
  [
    "alpha armv6l armv7l armv7b aarch64 cris i686 ia64 lm32 loongarch64 m68k microblaze microblazeel mips mipsel mips64",
    "mips64el openrisc parisc parisc64 ppc ppcle ppc64 ppc64le ppcemb riscv32 riscv64 s390 s390x sh4 sh4eb sparc sparc64",
    "unicore32 x86_64 xtensa xtensaeb",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Throws "usage" or "unsupported" for another architecture than that of the emulator.
 * virQEMUCapsCacheLookupDefault() of libvirt
 */
export function checkArch(arch: string | undefined, emulator?: string): void {
  if (arch === undefined || arch === "x86_64") return;
  const remedy = "Name x86_64, or none.";
  if (!ARCHITECTURES.has(arch))
    throw new SvirtError(`invalid argument: unknown architecture: ${arch}`, { kind: "usage", remedy });
  if (emulator === undefined) {
    throw new SvirtError(
      `unsupported configuration: unable to find any emulator to serve '${arch}' architecture`,
      { kind: "unsupported", from: "QEMU", remedy },
    );
  }
  throw new SvirtError(
    `invalid argument: architecture from emulator 'x86_64' doesn't match given architecture '${arch}'`,
    { kind: "usage", remedy },
  );
}
