using Slipway.Documents;
using Slipway.Documents.Rollouts;

namespace Slipway.Server.Api;

/// <summary>What many endpoints ask of what they are sent, each told in one way.</summary>
internal static class Require
{
    /// <summary>A person's reason for a change.</summary>
    /// <exception cref="ApiProblem">Empty, not one line of text, or longer than <see cref="IChangeRequest.LongestReason"/> (400).</exception>
    public static void Reason(string reason)
    {
        SomeReason(reason);
        if (reason.Any(char.IsControl))
            throw ApiProblem.Malformed("bad-reason", "the reason holds a line end or another control character, and is to be a line of text");
        if (reason.Length > IChangeRequest.LongestReason)
            throw ApiProblem.Malformed("long-reason", $"the reason has {reason.Length} characters, allowed are {IChangeRequest.LongestReason}");
    }

    /// <summary>A reason that may be the server's own, which is as long as what it tells of.</summary>
    /// <exception cref="ApiProblem">Empty (400).</exception>
    public static void SomeReason(string reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
            throw ApiProblem.Malformed("no-reason", "this is a change, and a change needs a reason", "say --reason TEXT; the ledger keeps it");
    }

    /// <returns>The same name.</returns>
    /// <exception cref="ApiProblem">There is no such channel (404).</exception>
    public static string Channel(string? name) =>
        ChannelName.Check(name) is { } fault ? throw ApiProblem.NotThere(fault.Code, fault.Message, fault.Help) : name!;
}
