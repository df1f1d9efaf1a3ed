// What tests/ecosystem/verify runs: each step says what it checked; the first that fails ends it.
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

const hashOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const blobPath = (digest) => join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length));
const say = (what, result) => console.log(`${what.padEnd(18)}  ${result}`);
const fail = (message, code = 1) => {
  console.error(message);
  process.exit(code);
};
// Anything that is not as it should be ends it with one line.
process.on('uncaughtException', (error) => fail(`${layout}: ${error.message.split('\n')[0]}`));

// Every blob is read through here: no byte is looked at that does not have its digest.
const hashed = new Set();
const blob = (digest) => {
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) fail(`${digest} is no digest`);
  if (!existsSync(blobPath(digest))) fail(`blob ${digest} is missing`);
  const bytes = readFileSync(blobPath(digest));
  if (hashOf(bytes) !== digest) fail(`blob ${digest} differs`);
  hashed.add(digest);
  return bytes;
};

// Which bundle, and what is attached to it.
let index;
try {
  index = json(join(layout, 'index.json'));
  if (!Array.isArray(index?.manifests)) throw new Error('it lists no manifests');
} catch (error) {
  fail(`${layout} is no OCI layout: ${error.message}`, 2);
}
const ref = 'org.opencontainers.image.ref.name';
const tagged = index.manifests.filter((entry) => entry.annotations?.[ref] && (!wantedTag || entry.annotations[ref] === wantedTag));
if (tagged.length !== 1) fail(`${layout} has ${tagged.length} manifests tagged ${wantedTag || 'at all'}, expected one`, 2);
const tag = tagged[0].annotations[ref];
const bundle = tagged[0].digest;
const manifest = JSON.parse(blob(bundle));
const attached = index.manifests
  .map((entry) => JSON.parse(blob(entry.digest)))
  .filter((attachment) => attachment.subject?.digest === bundle && attachment.artifactType === 'application/vnd.dev.sigstore.bundle.v0.3+json');
if (attached.length === 0) fail(`nothing is attached to ${bundle}`);
const attestations = attached.map((attachment) => {
  blob(attachment.config.digest);
  return JSON.parse(blob(attachment.layers[0].digest));
});
say('bundle', `${bundle} (${tag}), ${attestations.length} attestations`);

// Digests and sizes: every blob of the bundle, and of what is attached to it, is what it is called.
for (const { digest, size } of [tagged[0], manifest.config, ...manifest.layers, ...attached.flatMap((attachment) => [attachment.config, ...attachment.layers])]) {
  if (blob(digest).length !== size) fail(`blob ${digest} differs`);
}
say('digests', `${hashed.size} blobs`);

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
const readKey = () => {
  const pem = readFileSync(keyFile, 'utf8');
  try {
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('it has none in PEM');
    return createPublicKey(pem.slice(pem.indexOf('-----BEGIN'))).export({ type: 'spki', format: 'der' });
  } catch (error) {
    return fail(`${keyFile} holds no public key: ${error.message}`, 2);
  }
};
const spki = readKey();
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
// Of a stranger's, who may have written anything.
const typeOf = (attestation) => {
  try {
    return JSON.stringify(JSON.parse(Buffer.from(attestation.dsseEnvelope.payload, 'base64')).predicateType);
  } catch {
    return 'no statement';
  }
};
let refused = 0;
const predicates = [];
for (const attestation of attestations) {
  const by = attestation.verificationMaterial?.publicKey?.hint;
  if (by !== hint) {
    say('skipped', `${typeOf(attestation)}: by ${by ? `the key ${Buffer.from(by, 'base64').toString('hex').slice(0, 12)}` : 'a certificate'}, and not by the key given`);
    continue;
  }
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
const provenance = 'https://slsa.dev/provenance/v1';
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
if (hashOf(inspected) !== bundle) fail('skopeo reads another manifest');
run('copy', '--insecure-policy', '--preserve-digests', `oci:${layout}:${tag}`, `oci:${join(scratch, 'copy')}:${tag}`);
const copied = json(join(scratch, 'copy', 'index.json')).manifests[0].digest;
if (copied !== bundle) fail(`skopeo made ${copied} of ${bundle}`);
say('skopeo', 'reads and copies it, byte for byte');
if (!predicates.some(({ name }) => name === provenance)) fail(`warning: no provenance is by the key ${keyFile}: what is signed by it does not say how the bundle came to be`);
