using System.Collections.Immutable;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Lineage;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Cards;

/// <summary>What a bundle is, for who decides whether to use it: from its sealed documents and the statements of trusted keys, and nothing else.</summary>
/// <param name="Name">As the spec names the model.</param>
/// <param name="Size">Bytes of manifest, config and layers together.</param>
/// <param name="Layers">In the manifest's order.</param>
/// <param name="MeasuredOn">Which data the figures are of, in the lineage's words; null where it does not tell.</param>
/// <param name="Evaluation">Null where the spec asked for none; the same for <paramref name="Curves"/>.</param>
/// <param name="Gates">The latest verdict that a trusted key attested; null for none, which is not a pass.</param>
/// <param name="Origins">Each run that sealed these very outputs and was attested: one content may come from several commits. By time.</param>
/// <param name="Statements">All that trusted keys said, by predicate type and time.</param>
public sealed record BundleCard(
    Digest Bundle,
    string Name,
    long Size,
    ImmutableArray<CardLayer> Layers,
    SealedCard Sealed,
    ImmutableArray<LineageStage> Stages,
    string? MeasuredOn,
    Evaluation? Evaluation,
    EvaluationCurves? Curves,
    GateVerdict? Gates,
    ImmutableArray<BundleOrigin> Origins,
    ImmutableArray<CardStatement> Statements)
{
    /// <param name="documents">Of this bundle.</param>
    public static BundleCard Of(VerifiedBundle bundle, BundleDocuments documents) => new(
        bundle.Digest,
        documents.Spec.Name,
        bundle.Manifest.Blobs.Sum(blob => blob.Size) + bundle.Manifest.ToBytes().Length,
        [.. bundle.Layers.Select(layer => new CardLayer(layer.Kind.ToString().ToLowerInvariant(), layer.Path, layer.Blob.MediaType, layer.Blob.Size, layer.Blob.Digest))],
        SealedCard.Of(documents),
        documents.Lineage.Stages,
        documents.Evaluation is { } evaluation ? Cards.MeasuredOn.Of(evaluation, documents.Lineage) : null,
        documents.Evaluation,
        documents.Curves,
        GateVerdict.Find(bundle),
        BundleOrigin.All(bundle),
        CardStatement.All(bundle));
}

/// <param name="Kind">weight, code, doc and the like.</param>
/// <param name="Path">In the unpacked bundle.</param>
/// <param name="Size">Bytes.</param>
public sealed record CardLayer(string Kind, string Path, string MediaType, long Size, Digest Digest);
