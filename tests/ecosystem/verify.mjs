// What tests/ecosystem/verify runs: each step says what it checked; the first that fails ends it.
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const addFormats = require('ajv-formats');

const here = dirname(fileURLToPath(import.meta.url));
const tests = join(here, '..', 'Slipway.Tests', 'Documents');
const [layout, keyFile, wantedTag] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'slipway-ecosystem-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const blobPath = (digest) => join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length));
const blob = (digest) => readFileSync(blobPath(digest));
const say = (what, result) => console.log(`${what.padEnd(18)}  ${result}`);
const fail = (message) => {
  console.error(message);
  process.exit(1);
};

// Which bundle, and what is attached to it.
const index = json(join(layout, 'index.json'));
const ref = 'org.opencontainers.image.ref.name';
const tagged = index.manifests.filter((entry) => entry.annotations?.[ref] && (!wantedTag || entry.annotations[ref] === wantedTag));
if (tagged.length !== 1) fail(`${layout} has ${tagged.length} manifests tagged ${wantedTag || 'at all'}, expected one`);
const tag = tagged[0].annotations[ref];
const bundle = tagged[0].digest;
const manifest = JSON.parse(blob(bundle));
const attached = index.manifests
  .map((entry) => JSON.parse(blob(entry.digest)))
  .filter((attachment) => attachment.subject?.digest === bundle && attachment.artifactType === 'application/vnd.dev.sigstore.bundle.v0.3+json');
if (attached.length === 0) fail(`nothing is attached to ${bundle}`);
const attestations = attached.map((attachment) => JSON.parse(blob(attachment.layers[0].digest)));
say('bundle', `${bundle} (${tag}), ${attestations.length} attestations`);

// Digests: every blob of the bundle is what it is called.
for (const { digest, size } of [{ digest: bundle, size: tagged[0].size }, manifest.config, ...manifest.layers]) {
  const bytes = blob(digest);
  if (bytes.length !== size || `sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) fail(`blob ${digest} differs`);
}
say('digests', `${manifest.layers.length + 2} blobs`);

// openssl: the signature over DSSE's pre-authentication encoding.
const pae = ({ payloadType, payload }) => {
  const [type, body] = [Buffer.from(payloadType), Buffer.from(payload, 'base64')];
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${body.length} `), body]);
};
const openssl = (envelope) => {
  const [signed, signature] = [join(scratch, 'signed'), join(scratch, 'signature')];
  writeFileSync(signed, pae(envelope));
  writeFileSync(signature, Buffer.from(envelope.signatures[0].sig, 'base64'));
  try {
    execFileSync('openssl', ['dgst', '-sha256', '-verify', keyFile, '-signature', signature, signed], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
};

// @sigstore/verify: the bundle's form, hint and signature by a key alone, without logs.
const pem = readFileSync(keyFile, 'utf8');
const spki = createPublicKey(pem.slice(pem.indexOf('-----BEGIN'))).export({ type: 'spki', format: 'der' });
const hint = createHash('sha256').update(spki).digest('base64');
const trust = toTrustMaterial({ certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }, { [hint]: { rawBytes: spki } });
const sigstore = (attestation) => {
  try {
    new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(attestation)));
    return true;
  } catch {
    return false;
  }
};

const changed = (attestation, change) => {
  const copy = structuredClone(attestation);
  change(copy);
  return copy;
};
const flip = (base64, at) => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  return bytes.toString('base64');
};
const tamperings = {
  payload: (a) => { a.dsseEnvelope.payload = flip(a.dsseEnvelope.payload, 10); },
  signature: (a) => { a.dsseEnvelope.signatures[0].sig = flip(a.dsseEnvelope.signatures[0].sig, -1); },
  'payload type': (a) => { a.dsseEnvelope.payloadType += 'x'; },
  'key hint': (a) => { a.verificationMaterial.publicKey.hint = flip(a.verificationMaterial.publicKey.hint, 0); },
  'media type': (a) => { a.mediaType = 'application/octet-stream'; },
};
let refused = 0;
const predicates = [];
for (const attestation of attestations.filter((each) => each.verificationMaterial.publicKey?.hint === hint)) {
  const statement = JSON.parse(Buffer.from(attestation.dsseEnvelope.payload, 'base64'));
  const name = statement.predicateType;
  if (!statement.subject.some((subject) => `sha256:${subject.digest.sha256}` === bundle)) fail(`${name} is not about ${bundle}`);
  if (!openssl(attestation.dsseEnvelope)) fail(`openssl refuses the signature of ${name}`);
  if (!sigstore(attestation)) fail(`@sigstore/verify refuses ${name}`);
  for (const [what, change] of Object.entries(tamperings)) {
    const tampered = changed(attestation, change);
    if (sigstore(tampered)) fail(`@sigstore/verify accepts ${name} with another ${what}`);
    if (!['key hint', 'media type'].includes(what) && openssl(tampered.dsseEnvelope)) fail(`openssl accepts ${name} with another ${what}`);
    refused++;
  }
  predicates.push({ name, predicate: statement.predicate });
}
if (predicates.length === 0) fail(`no attestation is by the key ${keyFile}`);
say('openssl', `${predicates.length} signatures`);
say('@sigstore/verify', `${predicates.length} accepted, ${refused} tamperings refused`);

// ajv: documents against the schemas that others publish.
const check = (what, validate, document) => {
  if (!validate(document)) fail(`${what} does not fit its schema: ${JSON.stringify(validate.errors.slice(0, 3), null, 1)}`);
  say('ajv', what);
};
const modern = new (require('ajv/dist/2020'))({ strict: false, allErrors: true });
addFormats(modern);
check('config: ModelPack', modern.compile(json(join(tests, 'vectors', 'modelpack', 'schema', 'config-schema.json'))), JSON.parse(blob(manifest.config.digest)));

// image-spec's schemas are of draft 4, in which ids stand inside and name other files: by file name they are the same in draft 7.
const draft7 = new (require('ajv'))({ strict: false, allErrors: true });
addFormats(draft7);
const withoutIds = (schema) =>
  Array.isArray(schema) ? schema.map(withoutIds)
    : schema === null || typeof schema !== 'object' ? schema
      : Object.fromEntries(Object.entries(schema).filter(([key, value]) => !(['id', '$schema'].includes(key) && typeof value === 'string')).map(([key, value]) => [key, withoutIds(value)]));
for (const file of readdirSync(join(here, 'schemas')).filter((name) => name.endsWith('.json'))) {
  draft7.addSchema({ ...withoutIds(json(join(here, 'schemas', file))), $id: file });
}
check('manifest: OCI', draft7.getSchema('image-manifest-schema.json'), manifest);
for (const attachment of attached) check('attestation: OCI', draft7.getSchema('image-manifest-schema.json'), attachment);
check('index: OCI', draft7.getSchema('image-index-schema.json'), index);
if (draft7.getSchema('image-manifest-schema.json')({ ...manifest, config: {} })) fail('the OCI schema accepts a manifest without a config');

const boms = predicates.filter(({ name }) => name === 'https://cyclonedx.org/bom');
if (boms.length > 0) {
  const cyclone = new (require('ajv'))({ strict: false, allErrors: true });
  addFormats(cyclone);
  cyclone.addFormat('iri-reference', true);
  cyclone.addFormat('idn-email', true);
  for (const part of ['jsf-0.82', 'spdx']) cyclone.addSchema(json(join(tests, 'Bom', 'vectors', 'schema', `${part}.schema.json`)));
  const validate = cyclone.compile(json(join(tests, 'Bom', 'vectors', 'schema', 'bom-1.6.schema.json')));
  for (const { predicate } of boms) {
    check('CycloneDX 1.6', validate, predicate);
    if (validate({ ...predicate, bomFormat: 'CycloneDY' })) fail('the CycloneDX schema accepts another format');
  }
}

// skopeo: reads the manifest, and copies it without changing a byte.
const run = (...args) => execFileSync('skopeo', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const inspected = run('inspect', '--raw', `oci:${layout}:${tag}`);
if (`sha256:${createHash('sha256').update(inspected).digest('hex')}` !== bundle) fail('skopeo reads another manifest');
run('copy', '--insecure-policy', '--preserve-digests', `oci:${layout}:${tag}`, `oci:${join(scratch, 'copy')}:${tag}`);
const copied = json(join(scratch, 'copy', 'index.json')).manifests[0].digest;
if (copied !== bundle) fail(`skopeo made ${copied} of ${bundle}`);
say('skopeo', 'reads and copies it, byte for byte');
