import { SvirtError } from "../../../errors.ts";
import { spawnProgram } from "../calls/spawn-program.ts";

const NFT = "/usr/sbin/nft";
/** Limit for a program waiting for the kernel's lock. */
const TIMEOUT_MS = 30_000;

/**
 * Implements Host.setPacketRules. nft(8): a script is a transaction, applied or refused by the kernel as a
 * whole.
 */
export async function setPacketRules(script: string): Promise<void> {
  await runNft("set", ["-f", "-"], { input: script });
}

/**
 * Implements Host.listPacketRules. Sets of others may have many thousands of elements, which take seconds.
 */
export async function listPacketRules(): Promise<string> {
  return await runNft("list", ["--terse", "list", "ruleset"], { readsOutput: true });
}

async function runNft(
  attempt: "set" | "list",
  words: readonly string[],
  how: { readonly input?: string; readonly readsOutput?: true },
): Promise<string> {
  const { errors, exitCode, output } = await spawnNft(attempt, words, how);
  if (exitCode === 0) return output;
  const [why = ""] = errors.split("\n");
  throw new SvirtError(
    `Cannot ${attempt} rules of the packet filter: ${why === "" ? "nft did not end" : why}`,
    {
      kind: "host-call",
      remedy: "Check that the kernel has nf_tables: nft list tables",
    },
  );
}

async function spawnNft(
  attempt: "set" | "list",
  words: readonly string[],
  how: Parameters<typeof runNft>[2],
): ReturnType<typeof spawnProgram> {
  try {
    return await spawnProgram([NFT, ...words], { timeoutMs: TIMEOUT_MS, ...how });
  } catch (error) {
    throw new SvirtError(`Cannot ${attempt} rules of the packet filter: nft cannot be run`, {
      kind: "unsupported",
      remedy: `Install nftables, which has ${NFT}.`,
      cause: error,
    });
  }
}
