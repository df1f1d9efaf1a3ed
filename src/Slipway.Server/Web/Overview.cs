using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Web;

/// <summary>What the first page shows, as the viewer may see it.</summary>
/// <param name="Viewer">Name of who is signed in.</param>
/// <param name="At">When it was read, Unix milliseconds.</param>
public sealed record Overview(string Viewer, long At, ImmutableArray<ModelOverview> Models);

/// <param name="Versions">Newest first.</param>
/// <param name="Rollouts">Those that run, with their latest judgement.</param>
/// <param name="History">What happened last, newest first.</param>
public sealed record ModelOverview(
    string Name, ImmutableArray<ChannelState> Channels, ImmutableArray<ModelVersion> Versions, ImmutableArray<RolloutView> Rollouts, ImmutableArray<HistoryEntry> History);
