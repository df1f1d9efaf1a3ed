using System.Collections.Immutable;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Rollouts;

/// <summary>What <see cref="Rollout.Decide"/> answers: the state to store, and what goes with it into the same change.</summary>
/// <param name="Actions">In this order; empty when nothing is to be told.</param>
internal sealed record Decision(RolloutState State, ImmutableArray<RolloutAction> Actions);

internal abstract record RolloutAction;

/// <summary>The ledger and the channel's history get an entry.</summary>
/// <param name="Action">Dotted, such as <c>rollout.promoted</c>.</param>
/// <param name="Evidence">The judgement that led to it; null where none did.</param>
internal sealed record Tell(string Action, string Reason, JudgeReport? Evidence) : RolloutAction;

/// <summary>The channel's live version becomes the candidate.</summary>
/// <param name="KeepWarmUntil">Until when the version before stays loaded; null for not at all. Unix milliseconds.</param>
internal sealed record GoLive(VersionRef Version, long? KeepWarmUntil) : RolloutAction;
