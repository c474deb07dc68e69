// The licences of everything in age.min.js, put beside it; they go where the bundle goes.
import { readFileSync, writeFileSync } from "node:fs";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const texts = Object.entries(dependencies).map(([name, version]) => `${name} ${version}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`);
writeFileSync("../static/bidding/LICENSE-age.txt", texts.join(`\n${"=".repeat(80)}\n\n`));
