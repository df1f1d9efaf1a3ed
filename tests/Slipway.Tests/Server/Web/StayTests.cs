using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Web.Pages;

namespace Slipway.Tests.Server.Web;

/// <summary>Where versions were, by the rollouts of a channel.</summary>
public sealed class StayTests
{
    [Fact]
    public void A_version_is_live_until_the_next_one_is()
    {
        var rollouts = Newest(Went(1, 10), Went(2, 20));
        Assert.Equal((20L, null, false), Only(rollouts, 2));
        Assert.Equal((10L, 20L, false), Only(rollouts, 1));
    }

    [Fact]
    public void Who_goes_back_takes_back()
    {
        var rollouts = Newest(Went(1, 10), Went(2, 20), Went(1, 30) with { Kind = RolloutKind.Return });
        Assert.Equal((20L, 30L, true), Only(rollouts, 2));
        Assert.Equal([(30L, (long?)null), (10L, 20L)], Stay.Of(rollouts, 1).Select(stay => (stay.From, stay.To)));
    }

    [Fact]
    public void A_rollout_that_did_harm_was_there_from_its_first_request_until_its_last()
    {
        var harmful = New(3, RolloutPhase.RolledBack, 50) with { Weights = [new(1, 0, 40), new(2, 100, 42), new(3, 1_000, 44), new(4, 0, 48)] };
        Assert.Equal((42L, 48L, true), Only(Newest(Went(2, 20), harmful), 3));
        Assert.Equal((20L, null, false), Only(Newest(Went(2, 20), harmful), 2));
        // While it is being taken back it gets nothing any more; one that runs goes on.
        Assert.Equal((42L, 48L, true), Only([harmful with { Phase = RolloutPhase.RollingBack, EndedAt = null }], 3));
        Assert.Equal((42L, null, false), Only([harmful with { Phase = RolloutPhase.Stepping, EndedAt = null, Weights = harmful.Weights[..3] }], 3));
    }

    [Fact]
    public void One_that_got_no_request_was_nowhere() => Assert.Empty(Stay.Of([New(3, RolloutPhase.Aborted, 50)], 3));

    [Fact]
    public void What_was_released_again_since_is_not_taken_back_any_more()
    {
        var rollouts = Newest(New(3, RolloutPhase.RolledBack, 20) with { Weights = [new(1, 0, 10), new(2, 100, 12), new(3, 0, 15)] }, Went(3, 30));
        Assert.Equal([false, true], Stay.Of(rollouts, 3).Select(stay => stay.IsTakenBack));
    }

    private static (long From, long? To, bool IsTakenBack) Only(ImmutableArray<RolloutState> rollouts, int version) => Assert.Single(Stay.Of(rollouts, version)) is var stay ? (stay.From, stay.To, stay.IsTakenBack) : default;

    private static ImmutableArray<RolloutState> Newest(params RolloutState[] oldestFirst) => [.. oldestFirst.Reverse()];

    private static RolloutState Went(int version, long at) => New(version, RolloutPhase.Promoted, at) with { Weights = [new(1, 0, at - 5), new(2, Weight.All, at - 2)] };

    private static RolloutState New(int version, RolloutPhase phase, long ended) => new(
        $"{version:x12}", "flight-delay", "production", RolloutKind.Release, new VersionRef(version, Digest.Of([(byte)version])), null, ChannelPlan.Canary, Digest.Of([9]), phase, null, 0, 0, [new(1, 0, 1)], "", 1, null, ended, null,
        "user:olga", "Olga", "a test", []);
}
