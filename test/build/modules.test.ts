import { expect, test } from "bun:test";

/**
 * A map of dm_multipath names one of these for each group of paths. parse_path_selector() in
 * drivers/md/dm-mpath.c of Linux
 */
const SELECTORS = ["dm_round_robin", "dm_service_time", "dm_queue_length", "dm_historical_service_time"];

async function modulesOf(...files: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(
    files.map(async (file) => await Bun.file(`${import.meta.dir}/../../image/${file}`).text()),
  );
  return texts
    .join("\n")
    .split("\n")
    .flatMap((line) => /^(?:boot|load|keep) (\S+)/.exec(line)?.[1] ?? []);
}

test.each([
  ["test machine", ["modules"]],
  ["lean image", ["ship/modules.lean"]],
  ["full image", ["ship/modules.lean", "ship/modules.full"]],
])("the %s has a path selector if it has dm_multipath", async (_, files) => {
  const modules = await modulesOf(...files);
  expect(modules).toContain("loop");
  if (!modules.includes("dm_multipath")) return;
  expect(SELECTORS.filter((name) => modules.includes(name))).not.toEqual([]);
});
