using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;

namespace Slipway.Documents.Registry;

/// <summary>
/// What belongs to a registered bundle: <c>GET /api/v1/bundles/DIGEST</c>. A gateway fetches each blob by its digest
/// (<c>GET /api/v1/blobs/DIGEST</c>), lists the manifests in a layout of its own, and verifies: nothing here is believed.
/// </summary>
/// <param name="Bundle">Digest of the bundle's manifest, which is a blob as well.</param>
/// <param name="Attestations">Manifests of the attestations that verified when they were registered.</param>
/// <param name="Blobs">Every blob to fetch, once each, with its size: the manifests, and all that they refer to. Smallest first.</param>
public sealed record BundleContents(Digest Bundle, ImmutableArray<Digest> Attestations, ImmutableArray<OciDescriptor> Blobs);
