/** Set by scripts/build: the number of package.json and the commit, as in 0.1.0+1a2b3c4. */
declare const SVIRT_VERSION: string;

process.stdout.write(`svirt ${typeof SVIRT_VERSION === "undefined" ? "unbuilt" : SVIRT_VERSION}\n`);
