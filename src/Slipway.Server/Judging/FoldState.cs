using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Judging;

/// <summary>All that an <see cref="EvidenceFold"/> knows, as it is stored between two batches: another server goes on from it.</summary>
/// <param name="Sources">In the order in which they joined.</param>
/// <param name="Cells">By weight revision, ascending: those that something was folded into.</param>
/// <param name="Users">Mixed hashes of the users who had a bad event and are followed: 8 bytes each, little-endian, ascending; at most <see cref="FollowedUsers.Most"/>.</param>
internal sealed record FoldState(string Rollout, ImmutableArray<FoldSource> Sources, ImmutableArray<EvidenceCell> Cells, ShadowCounts? Shadow, long Lost, int Halvings, byte[] Users);

/// <summary>One boot of a gateway.</summary>
/// <param name="Sequence">Of the last batch that was taken in; 0 before the first.</param>
/// <param name="Through">Up to which order it has told everything.</param>
/// <param name="IsGone">The others no longer wait for it.</param>
/// <param name="IsDrained">It stopped in order.</param>
/// <param name="Told">Requests by weight revision and arm, since it joined.</param>
/// <param name="Bad">Told and not folded yet, in assignment order.</param>
/// <param name="Counts">Told and not folded yet, by <see cref="WaitingCounts.Through"/>.</param>
internal sealed record FoldSource(
    string Gateway, string Boot, long Sequence, long Through, bool IsGone, bool IsDrained,
    ImmutableArray<ToldRequests> Told, ImmutableArray<BadEvent> Bad, ImmutableArray<WaitingCounts> Counts);

internal sealed record ToldRequests(long WeightRevision, Arm Arm, long Requests, long Bad);

/// <summary>Counts of one batch, or of several that were put together.</summary>
internal sealed record WaitingCounts(long Through, ImmutableArray<CellCounts> Cells, ShadowCounts? Shadow);

internal sealed record CellCounts(long WeightRevision, Arm Arm, ArmEvidence Evidence);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FoldState))]
internal sealed partial class JudgingJson : JsonSerializerContext;
