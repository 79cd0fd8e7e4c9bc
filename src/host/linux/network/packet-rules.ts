import { SvirtError } from "../../../errors.ts";

const NFT = "/usr/sbin/nft";
/** Limit for a program that waits for the kernel's lock. */
const TIMEOUT_MS = 30_000;

/** Implements Host.setPacketRules. nft(8): a script is one transaction, which the kernel applies or refuses as a whole. */
export function setPacketRules(script: string): void {
  const { exitCode, stderr } = runNft(script);
  if (exitCode === 0) return;
  const [why = ""] = stderr.split("\n");
  throw new SvirtError(`Cannot set rules of the packet filter: ${why === "" ? "nft did not end" : why}`, {
    kind: "host-call",
    remedy: "Check that the kernel has nf_tables: nft list tables",
  });
}

function runNft(script: string): { readonly exitCode: number | null; readonly stderr: string } {
  try {
    const done = Bun.spawnSync([NFT, "-f", "-"], {
      stdin: new TextEncoder().encode(script),
      stdout: "ignore",
      stderr: "pipe",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    return { exitCode: done.exitCode, stderr: done.stderr.toString() };
  } catch (error) {
    throw new SvirtError("Cannot set rules of the packet filter: nft cannot be run", {
      kind: "unsupported",
      remedy: `Install nftables, which has ${NFT}.`,
      cause: error,
    });
  }
}
