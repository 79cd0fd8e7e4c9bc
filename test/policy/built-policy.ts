import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

const CACHE = process.env["SVIRT_CACHE"] ?? `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/svirt`;
const NEEDS = ["sesearch", "seinfo"] as const;
/** Folder of the modules that svirt adds to Debian's policy. */
export const POLICY_SOURCE = fileURLToPath(new URL("../../image/policy", import.meta.url));

/** Rule as setools prints it: as the kernel has it, after every deny rule. */
export interface AllowRule {
  readonly source: string;
  readonly target: string;
  readonly tclass: string;
  readonly permissions: readonly string[];
  /** Condition on booleans; empty if there is none. */
  readonly condition: string;
}

/** Built policy, read by setools. */
export interface Policy {
  readonly rules: readonly AllowRule[];
  /** Rules `allowxperm`: the ioctls that a right permits. */
  readonly extended: readonly string[];
  /** Members of each attribute. */
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Text for the name of a skipped test: the missing programs. Empty if setools is installed. */
export const needsSetools = NEEDS.every((tool) => Bun.which(tool) !== null)
  ? ""
  : " (skipped: sesearch is missing, install setools)";

/**
 * Returns the folder of image/build with the policy of exactly this checkout, not of another or of an earlier
 * state.
 */
export function findBuiltPolicy(): string | undefined {
  const node = `${CACHE}/node`;
  if (!existsSync(node)) return undefined;
  return readdirSync(node)
    .filter((name) => /^policy-[0-9a-f]+$/.test(name))
    .map((name) => `${node}/${name}`)
    .find(isOfThisCheckout);
}

function isOfThisCheckout(folder: string): boolean {
  const modules = `${folder}/var/lib/selinux/default/active/modules/400`;
  if (!existsSync(modules)) return false;
  const sources = readdirSync(POLICY_SOURCE).filter((name) => name.endsWith(".cil"));
  const built = readdirSync(modules);
  return (
    built.length === sources.length &&
    sources.every((name) => {
      const module = `${modules}/${name.replace(/\.cil$/, "")}/cil`;
      return existsSync(module) && readFileSync(module).equals(readFileSync(`${POLICY_SOURCE}/${name}`));
    })
  );
}

/** Returns the path of the binary policy in a folder of image/build-policy. */
export function binaryOf(folder: string): string {
  return `${folder}/etc/selinux/default/policy/policy.33`;
}

/** Reads a binary policy. */
export function readPolicy(binary: string): Policy {
  const rules = output(["sesearch", "-A", binary]).split("\n");
  return {
    rules: rules.filter((line) => line.startsWith("allow ")).map(parseRule),
    extended: output(["sesearch", "--allowxperm", binary])
      .split("\n")
      .filter((line) => line !== ""),
    attributes: parseAttributes(output(["seinfo", "-a", "-x", binary])),
  };
}

const RULE = /^allow (\S+) (\S+):(\S+) (?:\{ ([^}]*) \}|(\S+));(?: \[ (.*) \]:(True|False))?$/;

/** Parses a rule. Throws for text that sesearch does not print. */
export function parseRule(line: string): AllowRule {
  const [, source, target, tclass, several, one, condition, branch] = RULE.exec(line) ?? [];
  if (source === undefined || target === undefined || tclass === undefined)
    throw new Error(`Cannot read what sesearch printed: ${line}`);
  const permissions = (several ?? one ?? "").split(" ");
  const when = condition === undefined ? "" : `${branch === "True" ? "" : "not "}${condition}`;
  return { source, target, tclass, permissions, condition: when };
}

function parseAttributes(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const attributes = new Map<string, Set<string>>();
  let current = "";
  for (const line of text.split("\n")) {
    const [, name] = /^\s+attribute (\S+?);?$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      attributes.set(name, new Set());
    } else if (line.startsWith("\t")) attributes.get(current)?.add(line.trim());
  }
  return attributes;
}

function output(words: string[]): string {
  const { exitCode, stderr, stdout } = Bun.spawnSync(words);
  if (exitCode !== 0) throw new Error(`${words[0]} failed: ${stderr}`);
  return stdout.toString();
}
