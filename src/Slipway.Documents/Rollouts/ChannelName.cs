using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Rollouts;

/// <summary>Whether a text is a channel's name, told in one way by whoever asks.</summary>
public static class ChannelName
{
    /// <returns>Null for a channel's name.</returns>
    public static Fault? Check(string? name)
    {
        if (name is not null && ReleasePlan.ChannelNames.Contains(name))
            return null;
        var near = Node.NearestOf(name ?? "", ReleasePlan.ChannelNames);
        return new Fault(
            "no-channel",
            $"{(name is null ? "no channel is named" : $"there is no channel {Node.Quote(name)}")}, allowed {string.Join(" and ", ReleasePlan.ChannelNames)}",
            Help: near is null ? null : $"did you mean {near}?");
    }
}
