using Microsoft.AspNetCore.Components;
using Slipway.Documents.Charts;

namespace Slipway.Server.Web.Kit;

/// <summary>A page over what was read for it: the same whenever it is rendered.</summary>
public abstract class PageOf<TModel> : ComponentBase
    where TModel : class
{
    [Parameter, EditorRequired] public PageContext Context { get; set; } = null!;

    [Parameter, EditorRequired] public TModel Model { get; set; } = null!;
}

/// <summary>What was read for a page that shows charts: their numbers are downloads of the page.</summary>
public interface ICharted
{
    IEnumerable<Chart> Charts { get; }
}
