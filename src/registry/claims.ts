import * as v from "valibot";
import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Claim } from "../plan/facts/step-parts.ts";
import { claim as claimSchema, ownership } from "../plan/facts/step-parts.ts";

const claimEntry = v.strictObject({
  sharing: v.picklist(["exclusive", "shared"]),
  label: v.exactOptional(v.string()),
  original: v.exactOptional(v.string()),
  ownership: v.exactOptional(ownership),
});

/** One owner's hold on something. */
export interface Holder extends v.InferOutput<typeof claimEntry> {
  readonly owner: string;
}

/**
 * Who holds what on this host: `claims/KIND/KEY/OWNER`, a file each. A look-up is one folder, whatever else is held. Whoever
 * calls holds the registry's lock.
 */
export class ClaimRegistry {
  readonly #host: Host;
  readonly #folder: string;

  constructor(host: Host, stateFolder: string) {
    this.#host = host;
    this.#folder = `${stateFolder}/claims`;
  }

  /** Everybody who holds it. Throws "failed" for a hold that is damaged. */
  listHolders(kind: Claim["kind"], key: string): Holder[] {
    return this.#listTexts(kind, key).map(({ owner, path, text }) => ({ owner, ...parseEntry(path, text) }));
  }

  /** Whether anybody holds it. */
  isTaken(kind: Claim["kind"], key: string): boolean {
    return this.#listOwners(kind, key).length > 0;
  }

  /** Held already by the same owner is fine. Throws "label-taken" when somebody else's hold does not allow it. */
  reserve(claim: Claim, owner: string): void {
    // A hold of its own is written anew, whatever it has become.
    const others = this.#listTexts(claim.kind, claim.key)
      .filter((hold) => hold.owner !== owner)
      .map((hold) => ({ owner: hold.owner, ...parseEntry(hold.path, hold.text) }));
    const inTheWay = others.find(
      (holder) =>
        claim.sharing === "exclusive" || holder.sharing === "exclusive" || holder.label !== claim.label,
    );
    if (inTheWay !== undefined) throw taken(claim, inTheWay);
    const folder = this.#keyFolder(claim.kind, claim.key);
    this.#host.makeFolder({ path: folder, mode: 0o700 });
    const { key: _, kind: __, ...entry } = claim;
    const text = `${JSON.stringify(entry)}\n`;
    // A definition's must last. A guest's need not: it ends with the boot, and its record, which lasts, knows all of them.
    if (claim.kind === "static") this.#host.writeText(`${folder}/${owner}`, text, 0o600);
    else this.#host.writeVolatile(`${folder}/${owner}`, text, 0o600);
  }

  /** Not held is fine. */
  release(claim: Claim, owner: string): void {
    const folder = this.#keyFolder(claim.kind, claim.key);
    this.#host.removeFile(`${folder}/${owner}`);
    if (!this.isTaken(claim.kind, claim.key)) this.#host.removeFolder(folder);
  }

  /** What of that kind anybody holds. */
  listKeys(kind: Claim["kind"]): string[] {
    const keys = this.#host.listFolder(`${this.#folder}/${kind}`);
    return keys.filter((key) => this.isTaken(kind, key));
  }

  /** Every hold of every owner: for audit and for what a crash may have left. */
  listAll(): { readonly kind: Claim["kind"]; readonly key: string; readonly owner: string }[] {
    return claimSchema.entries.kind.options.flatMap((kind) =>
      this.#host
        .listFolder(`${this.#folder}/${kind}`)
        .flatMap((key) => this.#listTexts(kind, key).map(({ owner }) => ({ kind, key, owner }))),
    );
  }

  /** Every hold as it was written. */
  #listTexts(kind: Claim["kind"], key: string): { owner: string; path: string; text: string }[] {
    const folder = this.#keyFolder(kind, key);
    return this.#listOwners(kind, key).flatMap((owner) => {
      const path = `${folder}/${owner}`;
      const text = this.#host.readText(path) ?? "";
      // Empty: a power failure came before its text was on disk. Its owner has ended with it.
      return text === "" ? [] : [{ owner, path, text }];
    });
  }

  /** A svirt that was killed while it wrote may have left half a file: nobody's hold, and gone with the folder. */
  #listOwners(kind: Claim["kind"], key: string): string[] {
    return this.#host.listFolder(this.#keyFolder(kind, key)).filter((name) => !name.endsWith(".new"));
  }

  #keyFolder(kind: Claim["kind"], key: string): string {
    return `${this.#folder}/${kind}/${key}`;
  }
}

function parseEntry(path: string, text: string): v.InferOutput<typeof claimEntry> {
  try {
    return v.parse(claimEntry, JSON.parse(text));
  } catch (error) {
    throw new SvirtError(`Cannot read the claim ${path}: it is damaged`, {
      kind: "failed",
      remedy:
        "End the guest whose UUID its name is (svirt domname UUID), or, if it does not run, remove the file.",
      cause: error,
    });
  }
}

function taken(claim: Claim, holder: Holder): SvirtError {
  const bothShare = claim.sharing === "shared" && holder.sharing === "shared";
  const how = bothShare
    ? ` with the label ${holder.label ?? "that it has"}, not ${claim.label ?? "that"}`
    : "";
  return new SvirtError(
    `Cannot reserve ${claim.kind} ${claim.key}: the guest ${holder.owner} holds it${how}`,
    {
      kind: "label-taken",
      remedy: `Stop that guest (svirt domname ${holder.owner} tells its name), or do not share it; what was detached from it, but is not let go of yet, svirt recover gives free.`,
    },
  );
}
