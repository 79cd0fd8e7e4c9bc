// Usage: bun image/ship/list-software.ts STAGE ROOT
//
// Prints the content of the product's image as SPDX 2.3 (JSON): the parts of svirt's executable, and each
// Debian package with a file in the image. A package has its version and the licences of its copyright file.
// https://spdx.github.io/spdx-spec/v2.3/

import { existsSync, readdirSync, readFileSync } from "node:fs";
import manifest from "../../package.json";

interface Software {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly from: string;
}

const [stage = "", root = ""] = process.argv.slice(2);
const software: readonly Software[] = [...listOwn(), ...listPackages()];
const PREFIX = "SPDXRef-";

process.stdout.write(`${JSON.stringify(document(software), undefined, 1)}\n`);

/**
 * Lists the packages from which the executable is compiled: svirt's dependencies and their dependencies. The
 * compiler omits code that no import reaches. The licences of bun's parts are listed in its LICENSE.md.
 */
function listOwn(): readonly Software[] {
  const bun = manifest.devDependencies["@types/bun"];
  return [
    { name: "svirt", version: manifest.version, licence: manifest.license, from: "NOASSERTION" },
    { name: "bun", version: bun, licence: "MIT AND LGPL-2.0-or-later", from: `pkg:npm/bun@${bun}` },
    ...listModules(),
  ];
}

interface Module {
  readonly version: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function listModules(): readonly Software[] {
  const names = new Set(Object.keys(manifest.dependencies));
  const modules: Software[] = [];
  // Iterating a set includes items that are added meanwhile.
  for (const name of names) {
    const { dependencies, license, version } = readModule(name);
    for (const needed of Object.keys(dependencies ?? {})) names.add(needed);
    modules.push({ name, version, licence: license, from: `pkg:npm/${name.replace("@", "%40")}@${version}` });
  }
  return modules.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readModule(name: string): Module {
  return JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8"),
  );
}

/**
 * Lists the staged packages with a file in the image. QEMU is built from the source of the package that it
 * replaces.
 */
function listPackages(): readonly Software[] {
  return readdirSync(`${stage}/.packages`).flatMap((id) => {
    const [name = "", version = ""] = id.split("=");
    const files = readFileSync(`${stage}/.packages/${id}`, "utf8").split("\n");
    const isThere = files.some((file) => isShipped(file));
    if (!isThere) return [];
    const from = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64`;
    return [{ name, version, licence: licencesOf(name), from }];
  });
}

function isShipped(file: string): boolean {
  if (file === "" || file.endsWith("/") || file.startsWith("/usr/share/doc/")) return false;
  if (file.startsWith("/boot/vmlinuz-")) return true;
  const merged = file.replace(/^\/(bin|sbin|lib|lib64)\//, "/usr/$1/");
  return existsSync(`${root}${merged}`) || existsSync(`${root}${merged.replace(/\.xz$/, "")}`);
}

/**
 * Returns the licences of a machine-readable copyright file, each once; otherwise a reference to the file.
 */
function licencesOf(name: string): string {
  const path = `${stage}/usr/share/doc/${name}/copyright`;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const named = [...text.matchAll(/^License: *([^\s,][^\n]*?) *$/gm)].map(([, licence = ""]) => licence);
  const known = [...new Set(named)].toSorted();
  return known.length === 0 ? `see /usr/share/doc/${name}/copyright of the package` : known.join("; ");
}

function document(listed: readonly Software[]): object {
  const packages = listed.map(({ from, licence, name, version }) => ({
    SPDXID: idOf(name),
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    licenseConcluded: "NOASSERTION",
    licenseDeclared: "NOASSERTION",
    licenseComments: licence,
    copyrightText: "NOASSERTION",
    filesAnalyzed: false,
    externalRefs:
      from === "NOASSERTION"
        ? []
        : [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: from }],
  }));
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: `${PREFIX}DOCUMENT`,
    name: "svirt-node",
    documentNamespace: `https://svirt.invalid/spdx/svirt-node-${manifest.version}`,
    // A current date would make two builds differ.
    creationInfo: { created: "2000-01-01T00:00:00Z", creators: ["Tool: svirt-image"] },
    packages,
    relationships: packages.map(({ SPDXID }) => ({
      spdxElementId: `${PREFIX}DOCUMENT`,
      relationshipType: "DESCRIBES",
      relatedSpdxElement: SPDXID,
    })),
  };
}

function idOf(name: string): string {
  return `${PREFIX}${name.replace(/[^A-Za-z0-9.-]/g, "-")}`;
}
