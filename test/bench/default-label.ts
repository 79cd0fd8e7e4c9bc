/**
 * default-label FOLDER PATH...: prints default labels by the file_contexts of FOLDER, as svirt looks them up.
 */
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import { writeOut } from "../../src/host/linux/terminal/write-out.ts";
import { readFileContexts } from "../../src/report/default-labels.ts";
import { defaultContextOf } from "../../src/selinux/file-contexts/look-up.ts";

const [folder = "", ...paths] = process.argv.slice(2);
const host = makeLinuxHost();
const contexts = readFileContexts({
  ...host,
  readText: (path) => host.readText(`${folder}${path.slice(path.lastIndexOf("/"))}`),
});
if (contexts === undefined) throw new Error(`Cannot look labels up: ${folder} has no file_contexts`);
for (const path of paths) writeOut(1, `${defaultContextOf(contexts, path, "file") ?? "<<none>>"}\n`);
