import { version } from "../package.json";

process.stdout.write(`svirt ${version}\n`);
