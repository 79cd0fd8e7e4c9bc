import { listNothing } from "./host/linux/list-nothing.ts";

if (!listNothing(process.argv.slice(2))) void import("./program.ts");
