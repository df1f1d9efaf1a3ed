using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Registry;

/// <summary>Registers a bundle whose blobs are uploaded.</summary>
/// <param name="Attestations">Manifests of what is attached to it; others are not looked at.</param>
/// <param name="Plan">Null keeps the model's plan; a model without one gets <see cref="ReleasePlan.Default"/>.</param>
public sealed record VersionPush(Digest Bundle, ImmutableArray<Digest> Attestations, ReleasePlan? Plan, string Reason) : IChangeRequest
{
    /// <summary>More statements about one bundle than anybody makes; bounds what is read for one push.</summary>
    public const int MostAttestations = 500;
}

/// <param name="IsNew">False where this bundle was registered already: it is that version, for ever.</param>
/// <param name="Plan">The model's plan from now on.</param>
/// <param name="Notes">What was ignored, such as statements by keys that are not trusted, and alerts of the plan that this version gives nothing to judge by.</param>
public sealed record VersionRegistration(ModelVersion Version, bool IsNew, PlanVersion Plan, ImmutableArray<string> Notes);

/// <summary>A model's release plan as somebody set it. Each is kept; the last holds for what is asked for from then on.</summary>
/// <param name="Number">From 1 within the model.</param>
/// <param name="SetBy">Principal's id.</param>
/// <param name="SetAt">Unix milliseconds.</param>
public sealed record PlanVersion(string Model, int Number, Digest Digest, ReleasePlan Plan, string SetBy, string SetByName, long SetAt, string Reason);

/// <summary>Changes a model's release plan without a push.</summary>
public sealed record PlanRequest(ReleasePlan Plan, string Reason) : IChangeRequest;

/// <summary>Of a registered bundle, what later ones are compared with and what people ask to see.</summary>
/// <param name="Evaluation">Null when the spec asks for none; the same for <paramref name="Replicates"/>.</param>
public sealed record SealedEvidence(Evaluation? Evaluation, EvaluationReplicates? Replicates, LineageGraph Lineage);

/// <summary>Of a registered bundle, what its live traffic is measured by.</summary>
/// <param name="Task">Such as <c>regression</c>: what its labels may be.</param>
/// <param name="Reference">Null where none is sealed.</param>
/// <param name="Metrics">Of the sealed evaluation, by name; empty without one.</param>
public sealed record SealedProfile(string Task, ModelSignature Signature, ReferenceProfile? Reference, ImmutableSortedDictionary<string, Figure> Metrics);
