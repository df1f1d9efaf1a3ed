using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Web;

/// <summary>A page or a form of one: what it asks of whoever is signed in, and how it is answered.</summary>
/// <param name="Permission">Over the path's <c>{model}</c>; without one over all models, or, where <paramref name="AnyModel"/>, over at least one.</param>
internal sealed record PageRoute(string Method, string Path, Permission Permission, Func<PageCall, Task> Answer, bool AnyModel = false)
{
    /// <summary>Of a form: the page that it is on, which is shown again where the order fails.</summary>
    public PageRoute? Page { get; init; }

    public bool Allows(Caller caller, string? model) => AnyModel ? caller.MaySomewhere(Permission) : caller.May(Permission, model);
}

/// <summary>Carries out a form, inside one change.</summary>
/// <returns>The path to go to then.</returns>
internal delegate Task<string> FormOrder(PageCall call, Session session);
