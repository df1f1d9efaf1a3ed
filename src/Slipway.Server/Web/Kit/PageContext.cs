using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Web.Kit;

/// <summary>What every page knows of who looks at it.</summary>
/// <param name="Path">The page's own, with its query: where a form's failure comes back to.</param>
/// <param name="Now">Unix milliseconds.</param>
/// <param name="FormToken">Of the session; forms carry it.</param>
/// <param name="Faults">Why the form that was just sent was not carried out; empty otherwise.</param>
/// <param name="Typed">What was typed into that form, by field: it is not asked for twice.</param>
public sealed record PageContext(string Path, long Now, string FormToken, ImmutableArray<Fault> Faults, ImmutableDictionary<string, string> Typed)
{
    internal Caller Caller { get; init; } = Caller.Nobody;

    /// <summary>Whether a button is shown. The order behind it asks again.</summary>
    internal bool May(Permission permission, string model) => Caller.May(permission, model);

    /// <summary>Whoever is signed in.</summary>
    public string Viewer => Caller.Name;
}
