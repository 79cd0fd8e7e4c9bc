import { Glob } from "bun";

const DATA = new URL("../data/", import.meta.url).pathname;

/** Documents of one folder of test/data, as svirt and libvirt write them: path and text. */
export async function readDocuments(folder: string): Promise<readonly (readonly [string, string])[]> {
  const names = [...new Glob("*.xml").scanSync(DATA + folder)].sort();
  return Promise.all(
    names.map(async (name) => [name, await Bun.file(`${DATA}${folder}/${name}`).text()] as const),
  );
}

/** Returns a network named `n` with this content. */
export function networkWith(content: string): Uint8Array {
  return new TextEncoder().encode(`<network><name>n</name>${content}</network>`);
}
