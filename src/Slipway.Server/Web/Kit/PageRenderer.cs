using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Slipway.Server.Web.Kit;

/// <summary>Renders a page's component to HTML on the server.</summary>
internal sealed class PageRenderer
{
    // Components here ask for no service, so there is nothing to end.
    private readonly IServiceProvider services = new ServiceCollection().BuildServiceProvider();

    public async Task<string> RenderAsync<TPage>(IDictionary<string, object?> parameters)
        where TPage : IComponent
    {
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }
}
