import { SvirtError } from "../../../errors.ts";
import { spawnProgram } from "../calls/spawn-program.ts";

const NFT = "/usr/sbin/nft";
/** Limit for a program that waits for the kernel's lock. */
const TIMEOUT_MS = 30_000;

/** Implements Host.setPacketRules. nft(8): a script is one transaction, which the kernel applies or refuses as a whole. */
export function setPacketRules(script: string): void {
  const { errors, exitCode } = runNft(script);
  if (exitCode === 0) return;
  const [why = ""] = errors.split("\n");
  throw new SvirtError(`Cannot set rules of the packet filter: ${why === "" ? "nft did not end" : why}`, {
    kind: "host-call",
    remedy: "Check that the kernel has nf_tables: nft list tables",
  });
}

function runNft(script: string): ReturnType<typeof spawnProgram> {
  try {
    return spawnProgram([NFT, "-f", "-"], { timeoutMs: TIMEOUT_MS, input: script });
  } catch (error) {
    throw new SvirtError("Cannot set rules of the packet filter: nft cannot be run", {
      kind: "unsupported",
      remedy: `Install nftables, which has ${NFT}.`,
      cause: error,
    });
  }
}
