import { asSvirtError, SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Claim } from "../plan/facts/step-parts.ts";
import type { ClaimEntry } from "./claim-entry.ts";

// Rule: A level is unique on the host.

/** Resources in remedies. */
const NOUNS: Readonly<Record<Claim["kind"], string>> = {
  level: "level",
  static: "level",
  uid: "user",
  file: "file",
  tap: "tap",
  port: "port",
  pci: "PCI device",
};

/** Claim of one owner. */
export interface Holder extends ClaimEntry {
  readonly owner: string;
}

/** Claim of one owner, as unparsed text. */
interface ClaimText extends Pick<Claim, "kind" | "key"> {
  readonly owner: string;
  readonly path: string;
  readonly text: string;
}

/**
 * Claims on this host: `claims/KIND/KEY/OWNER`, one file per claim. A look-up reads one folder, however many
 * claims exist. The caller holds the registry lock.
 */
export class ClaimRegistry {
  readonly #host: Host;
  readonly #folder: string;

  constructor(host: Host, stateFolder: string) {
    this.#host = host;
    this.#folder = `${stateFolder}/claims`;
  }

  /** Lists the owners of a key. Throws "failed" for a damaged claim. */
  listHolders(kind: Claim["kind"], key: string): Holder[] {
    return this.#listTexts(kind, key).map(toHolder);
  }

  /**
   * Lists the other owners of a key. Ignores damage of the owner's own claim. Throws "failed" for another
   * damaged claim.
   */
  listOthers({ key, kind }: Pick<Claim, "kind" | "key">, owner: string): Holder[] {
    return this.#listTexts(kind, key)
      .filter((claimed) => claimed.owner !== owner)
      .map(toHolder);
  }

  /** Returns whether an owner has claimed the key. */
  isTaken(kind: Claim["kind"], key: string): boolean {
    return this.#listOwners(kind, key).length > 0;
  }

  /**
   * Claims a key, even if the same owner has claimed it before. Throws "in-use" if another owner's claim
   * conflicts.
   */
  reserve(claim: Claim, owner: string): void {
    // The owner's previous claim is overwritten, even if it is damaged.
    const inTheWay = this.listOthers(claim, owner).find(
      (holder) =>
        claim.sharing === "exclusive" || holder.sharing === "exclusive" || holder.label !== claim.label,
    );
    if (inTheWay !== undefined) throw taken(claim, inTheWay);
    const folder = this.#keyFolder(claim.kind, claim.key);
    this.#host.makeFolder({ path: folder, mode: 0o700 });
    const { key: _, kind: __, ...entry } = claim;
    const text = `${JSON.stringify(entry)}\n`;
    // A definition's claim must be durable. A guest's need not: it ends with the boot, and the guest's
    // durable record lists all its claims.
    if (claim.kind === "static") this.#host.writeText(`${folder}/${owner}`, text, 0o600);
    else this.#host.writeVolatile(`${folder}/${owner}`, text, 0o600);
  }

  /** Releases a claim. Does nothing if the owner does not hold it. */
  release(claim: Claim, owner: string): void {
    const folder = this.#keyFolder(claim.kind, claim.key);
    this.#host.removeFile(`${folder}/${owner}`);
    if (!this.isTaken(claim.kind, claim.key)) this.#host.removeFolder(folder);
  }

  /** Lists the claimed keys of a kind. */
  listKeys(kind: Claim["kind"]): string[] {
    return this.listMentioned(kind).filter((key) => this.isTaken(kind, key));
  }

  /**
   * Lists keys of a kind by a single look-up: all the claimed keys, and keys that a killed svirt has left.
   */
  listMentioned(kind: Claim["kind"]): readonly string[] {
    return this.#host.listFolder(`${this.#folder}/${kind}`);
  }

  /** Lists all claims of all owners, for audit and for claims left by a crash. */
  listAll(): { readonly kind: Claim["kind"]; readonly key: string; readonly owner: string }[] {
    return this.#listAllTexts().map(({ key, kind, owner }) => ({ kind, key, owner }));
  }

  /** Returns an error for each damaged claim, for audit. */
  listDamaged(): SvirtError[] {
    return this.#listAllTexts().flatMap((claimed) => {
      try {
        parseEntry(claimed);
        return [];
      } catch (error) {
        return [asSvirtError(error)];
      }
    });
  }

  #listAllTexts(): ClaimText[] {
    const { CLAIM_KINDS }: typeof import("./claim-entry.ts") = require("./claim-entry.ts");
    return CLAIM_KINDS.flatMap((kind) =>
      this.#host.listFolder(`${this.#folder}/${kind}`).flatMap((key) => this.#listTexts(kind, key)),
    );
  }

  /** Lists the claims on a key as unparsed text. */
  #listTexts(kind: Claim["kind"], key: string): ClaimText[] {
    const folder = this.#keyFolder(kind, key);
    return this.#listOwners(kind, key).flatMap((owner) => {
      const path = `${folder}/${owner}`;
      const text = this.#host.readText(path) ?? "";
      // A power failure before the text was on disk leaves an empty file. It ended the owner too.
      return text === "" ? [] : [{ kind, key, owner, path, text }];
    });
  }

  /**
   * Lists the owners of a key. Skips partial files of a killed svirt: they claim nothing and are removed with
   * the folder.
   */
  #listOwners(kind: Claim["kind"], key: string): string[] {
    return this.#host.listFolder(this.#keyFolder(kind, key)).filter((name) => !name.endsWith(".new"));
  }

  #keyFolder(kind: Claim["kind"], key: string): string {
    return `${this.#folder}/${kind}/${key}`;
  }
}

function toHolder(claimed: ClaimText): Holder {
  return { owner: claimed.owner, ...parseEntry(claimed) };
}

function parseEntry({ kind, owner, path, text }: ClaimText): ClaimEntry {
  try {
    // The schema is loaded with the first claim: most commands on files find none.
    const { readClaim }: typeof import("./claim-entry.ts") = require("./claim-entry.ts");
    return readClaim(text);
  } catch (error) {
    throw new SvirtError(`Cannot read the claim ${path}: it is damaged`, {
      kind: "failed",
      remedy:
        kind === "static"
          ? `Define the domain ${owner} again. If it is not defined, remove the file.`
          : `End its guest: svirt destroy ${owner}. If it does not run, remove the file.`,
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
      kind: "in-use",
      remedy: `Stop that guest (its name: svirt domname ${holder.owner}), or use another ${NOUNS[claim.kind]}; if it was detached from that guest, run svirt recover.`,
    },
  );
}
