import { commandLine } from "../test_env.ts";
import { startCompanyNetwork, useAllScripts } from "./company_network.ts";

Deno.test("all five scripts work through a proxy with a password, with the company's certificates", async () => {
  await using network = await startCompanyNetwork("service");
  await useAllScripts(network, commandLine);
});
